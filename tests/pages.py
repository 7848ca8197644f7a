"""A small reader of the pages that the clinic sees, and the people who open them."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from selectolax.lexbor import LexborHTMLParser, LexborNode
from werkzeug.test import TestResponse

UNSAID = {"script", "style"}


class Tag:
    """An element of a page."""

    def __init__(self, node: LexborNode) -> None:
        self.node = node

    def __str__(self) -> str:
        return self.node.html or ""

    @property
    def name(self) -> str:
        return str(self.node.tag)

    @property
    def attrs(self) -> dict[str, str]:
        return {name: value or "" for name, value in self.node.attributes.items()}

    @property
    def classes(self) -> list[str]:
        return self.attrs.get("class", "").split()

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    def get(self, name: str, default: str = "") -> str:
        return self.attrs.get(name, default)

    def has_attr(self, name: str) -> bool:
        return name in self.attrs

    @property
    def text(self) -> str:
        """Its words, with one space between them."""
        return " ".join(" ".join(self.strings).split())

    @property
    def strings(self) -> Iterator[str]:
        for node in self.node.traverse(include_text=True):
            if node.is_text_node and node.parent is not None and node.parent.tag not in UNSAID:
                yield node.text_content or ""

    def get_text(self, between: str = "", *, strip: bool = False) -> str:
        words = [each.strip() for each in self.strings] if strip else self.strings
        return between.join(each for each in words if each)

    def select(self, selector: str) -> list["Tag"]:
        return [Tag(node) for node in self.node.css(selector) if node != self.node]

    def select_one(self, selector: str) -> "Tag | None":
        return next(iter(self.select(selector)), None)

    def around(self, name: str) -> "Tag":
        """The nearest element of that name that it stands in."""
        return self._nearest("parent", name)

    def after(self, name: str) -> "Tag":
        """The next element of that name beside it."""
        return self._nearest("next", name)

    def _nearest(self, way: str, name: str) -> "Tag":
        node = getattr(self.node, way)
        while node is not None and node.tag != name:
            node = getattr(node, way)
        assert node is not None, f"no {name} that way: {way}"
        return Tag(node)


class Page:
    """HTML with questions: `page.one("#week-grid")`, `page.all("tr")`, `page.text`."""

    def __init__(self, html: str) -> None:
        self.html = html

    @cached_property
    def root(self) -> Tag:
        """Read as a browser does."""
        root = LexborHTMLParser(self.html).root
        assert root is not None
        return Tag(root)

    @property
    def text(self) -> str:
        return self.root.text

    def all(self, selector: str) -> list[Tag]:
        return [Tag(node) for node in self.root.node.css(selector)]

    def one(self, selector: str) -> Tag:
        """The only element that fits; anything else is a failed assertion."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements fit {selector!r} in: {self.html[:2000]}"
        return found[0]

    def has(self, selector: str) -> bool:
        return bool(self.all(selector))

    def value(self, name: str) -> str:
        """What stands in the form field of that name."""
        field = self.one(f'[name="{name}"]:not([type="hidden"]), input[type="hidden"][name="{name}"]')
        if field.name == "textarea":
            return field.get_text()
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            return chosen.get("value") if chosen else ""
        return field.get("value")

    def error(self, name: str) -> str:
        """The sentence beside the field of that name."""
        field = self.one(f'[name="{name}"][aria-invalid="true"]')
        return " ".join(self.one(f"#{each}").text for each in field.get("aria-describedby").split())


class Answer:
    """A response, read."""

    def __init__(self, response: TestResponse) -> None:
        self.status_code = response.status_code
        self.headers = response.headers
        self.data = response.get_data()
        self.html = self.data.decode(errors="replace")  # a picture is no text, and nobody reads it as such
        response.close()  # and its file
        response.request.environ["wsgi.input"].close()  # the client makes a file of a large form
        self.page = Page(self.html)

    @property
    def toast(self) -> str:
        """The sentences at the foot of the screen."""
        return " ".join(each.get_text(" ", strip=True) for each in self.page.all(".toast"))

    @property
    def undo(self) -> str:
        """Where the way back of the last sentence at the foot of the screen leads."""
        return str(self.page.all(".toast form")[-1]["action"])


class Htmx:
    """The same person, clicking on something that htmx sends."""

    def __init__(self, person: "Person") -> None:
        self.person = person

    def get(self, url: str, *, target: str = "", **query: Any) -> Answer:
        return self.person.get(url, headers=self._headers(target), **query)

    def post(self, url: str, *, target: str = "", **form: Any) -> Answer:
        return self.person.post(url, headers=self._headers(target), **form)

    @staticmethod
    def _headers(target: str) -> dict[str, str]:
        return {"HX-Request": "true"} | ({"HX-Target": f"div#{target}"} if target else {})


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, client: FlaskClient, *, user_id: int | None = None) -> None:
        self.client = client
        self.id = user_id  # so that a person can be the actor of a transaction in a test
        self.htmx = Htmx(self)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        return Answer(self.client.get(url, headers=headers, query_string=query or None))

    def post(self, url: str, *, headers: Mapping[str, str] | None = None, **form: Any) -> Answer:
        """Post a form with the token that its page would carry."""
        return Answer(self.client.post(url, headers=headers, data={"csrf_token": self.csrf_token()} | form))

    def csrf_token(self) -> str:
        app = self.client.application
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", "a" * 40)
        return str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(raw))
