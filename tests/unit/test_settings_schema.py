"""Settings come back as they were stored, and what is missing is the default."""

from datetime import time
from zoneinfo import ZoneInfo

from cpms.settings.schema import ClinicSettings, Hours, dump, load


def test_what_is_stored_comes_back() -> None:
    opening = (Hours(time(7, 30), time(12)), None, None, None, None, None, Hours(time(0), time(23, 55)))
    assert load({"opening": dump(opening)}).opening == opening


def test_what_is_missing_is_the_default_and_what_is_unknown_is_left_out() -> None:
    settings = load({"clinic_name": "Test Dental", "setup_done": True})
    assert settings == ClinicSettings(clinic_name="Test Dental")
    assert settings.zone == ZoneInfo("UTC")
