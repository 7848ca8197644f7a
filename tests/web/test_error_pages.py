"""Whatever goes wrong is said in words, with a way on: a page of its own, or a sentence over the page that is there."""

from collections.abc import Iterator

import pytest
from flask import Flask, abort

from tests.pages import Person

CODES = (400, 403, 404, 409, 413, 422, 500, 503)


@pytest.fixture
def failing(app: Flask) -> Iterator[Flask]:
    """The page of the settings fails as `?code=` says."""
    from flask import request

    right = app.view_functions["settings.index"]

    def fail() -> str:
        code = request.args.get("code", type=int)
        if code == 500:
            raise ValueError("the inside of the program, patient Yildiz")
        abort(code or 404)

    fail.needs = right.needs  # type: ignore[attr-defined]
    app.view_functions["settings.index"] = fail
    yield app
    app.view_functions["settings.index"] = right  # the application lives as long as the tests


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_happened_and_leads_on(rita: Person, failing: Flask, code: int) -> None:
    answer = rita.get("/settings/", code=code)
    assert answer.status_code == code
    main = answer.page.one("main")
    assert len(answer.page.one("main h1").text) > 8
    assert len(answer.page.all("main p")[0].text) > 30
    assert main.select_one("[data-back]") and main.select_one('a[href="/"]')
    said = main.get_text().replace(answer.headers["X-Request-Id"], "")  # whose figures may be those of the code
    assert "Yildiz" not in answer.html and str(code) not in said
    if code >= 500:
        assert f"Code: {answer.headers['X-Request-Id']}" in main.get_text()
    if code == 503:
        assert main.select_one('a[href="/settings/?code=503"]')


@pytest.mark.parametrize("code", CODES)
def test_over_a_page_it_is_a_sentence_that_stays(rita: Person, failing: Flask, code: int) -> None:
    answer = rita.htmx.get("/settings/", target="main", code=code)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (code, "none")
    toast = answer.page.one(".toast.error")
    assert "data-seconds" not in toast.attrs and "Yildiz" not in answer.html
    assert len(answer.page.all(".toast.error p")[0].text) > 30
    if code == 500:
        assert answer.headers["X-Request-Id"] in toast.get_text()


def test_an_address_that_only_takes_a_form_is_said_in_words_too(rita: Person) -> None:
    answer = rita.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.page.one("h1").get_text() == "This cannot be done here"


def test_a_page_does_not_say_the_same_twice(rita: Person) -> None:
    page = rita.get("/patients/999").page
    assert page.all("main p")[0].text not in {"", page.one("main h1").text}
