"""A report as a browser would see it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "input", "hr"}
INLINE = {"b", "bdi", "code", "strong"}
HOSTILE = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What a browser would see: elements with attributes, text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.text += "" if tag in INLINE else " "
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.text += "" if tag in INLINE else " "

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data

    def all(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        found = [attributes for name, attributes in self.elements if name == tag]
        return [attributes for attributes in found if kind in attributes.get("class", "").split()] if kind else found

    @property
    def words(self) -> str:
        return " ".join(self.text.split())
