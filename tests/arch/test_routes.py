"""Every route says who may open it; whatever changes something is a POST."""

from flask import Flask

from tests.web.test_access_matrix import POLICY


def rules(app: Flask) -> list[tuple[str, set[str]]]:
    return [(rule.endpoint, (rule.methods or set()) - {"HEAD", "OPTIONS"}) for rule in app.url_map.iter_rules()]


def test_every_route_declares_who_may_open_it(session_app: Flask) -> None:
    for endpoint, _methods in rules(session_app):
        view = session_app.view_functions[endpoint]
        assert hasattr(view, "needs") != getattr(view, "public", False), endpoint


def test_every_route_is_in_the_policy_and_nothing_else(session_app: Flask) -> None:
    assert {endpoint for endpoint, _methods in rules(session_app)} == set(POLICY)


def test_a_route_reads_or_writes_but_not_both(session_app: Flask) -> None:
    assert [endpoint for endpoint, methods in rules(session_app) if methods not in ({"GET"}, {"POST"})] == []


def test_only_these_answer_without_signing_in(session_app: Flask) -> None:
    open_ = {e for e, _m in rules(session_app) if getattr(session_app.view_functions[e], "public", False)}
    assert open_ == {
        "home",
        "health.healthz",
        "device.offline",
        "device.worker",
        "auth.login",
        "auth.sign_in",
        "backups.restore_state",  # asked by a page whose session the restore has ended; it tells nothing but that
        "setup.first_run",
        "feeds.feed",
        "setup.finish",
    }


def test_a_route_that_declares_nothing_is_closed(session_app: Flask) -> None:
    """Even for the owner: forgetting to say who may come in lets nobody in."""
    from cpms.web import access

    def forgotten() -> str:
        return "open"

    assert not hasattr(forgotten, "needs")
    marked = access.require()(forgotten)
    assert marked.needs == ()
