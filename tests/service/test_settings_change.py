"""The clinic's wishes change, and the trail knows."""

from datetime import time

import pytest
from flask import Flask

from cpms.audit import queries as audit
from cpms.core.db import transaction
from cpms.core.errors import Stale
from cpms.settings import queries, services
from cpms.settings.schema import Hours


def test_a_change_is_stored_recorded_and_seen_at_once(ctx: Flask) -> None:
    opening = (Hours(time(7), time(12)),) + (None,) * 6
    with transaction("settings.change", actor=None):
        services.change_settings(opening=opening, phone="030 1234")
    assert queries.current().opening == opening
    entry = audit.entries(limit=1)[0]
    columns = {change.row_id: change.columns["value"] for change in audit.changes_of(entry.id)}
    assert entry.action == "settings.change"
    assert columns["phone"] == [None, "030 1234"]
    assert columns["opening"][1][0] == ["07:00", "12:00"]


def test_what_stays_the_same_leaves_no_trace(ctx: Flask) -> None:
    before = audit.entries(limit=1)[0].id
    with transaction("settings.change", actor=None):
        services.change_settings(clinic_name="Test Dental")
    assert audit.entries(limit=1)[0].id == before


def test_a_form_from_before_somebody_elses_change_is_refused(ctx: Flask) -> None:
    seen = queries.fingerprint()
    with transaction("settings.change", actor=None):
        services.change_clinic(seen=seen, phone="030 1234")
    with pytest.raises(Stale), transaction("settings.change", actor=None):
        services.change_clinic(seen=seen, phone="030 9999")
    assert queries.current().phone == "030 1234"


def test_an_unknown_wish_is_a_mistake_of_ours(ctx: Flask) -> None:
    with pytest.raises(TypeError), transaction("settings.change", actor=None):
        services.change_settings(colour="red")
