"""What users and sessions need done at night."""

from cpms.auth import services
from cpms.core.db import transaction


def forget_sessions() -> None:
    """Throw away sessions and counters of no more use."""
    with transaction("auth.forget_sessions", actor=None):
        services.forget_sessions()
