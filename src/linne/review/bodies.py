"""What the page may send, checked before anything is done with it."""

from __future__ import annotations

from typing import Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linne.records.decisions import LONGEST_NAME, LONGEST_NOTE, Action
from linne.review.desk import MOST_SHOWN
from linne.review.queue import Filter, Sort, State, Test
from linne.review.rules import Answer, Rest, Wholesale
from linne.serve.body import RequestError, read_body

MAX_BODY = 1 << 20
"""Bytes."""

MOST_ANSWERS = 200


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    edition: str
    key: str = Field(min_length=8, max_length=64)


class AnswerBody(BaseModel):
    """One of the answers to a case; see `linne.review.rules.Answer`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Action
    image: int = Field(-1, ge=-1)
    to: str = Field("", max_length=2 * LONGEST_NAME)
    label: str = Field("", max_length=2 * LONGEST_NAME)
    test: bool = False
    rest: Rest = ""

    def answer(self) -> Answer:
        """Give it as the rules take it."""
        return Answer(self.action, self.image, self.to, self.label, self.test, self.rest)


class DecideBody(_Body):
    """Answers to one case, by hand; `images` are how many of it the page shows."""

    case: int = Field(ge=0)
    seen: int = Field(ge=0)
    why: str = Field("", max_length=LONGEST_NOTE)
    images: int = Field(MOST_SHOWN, ge=1)
    answers: list[AnswerBody] = Field(min_length=1, max_length=MOST_ANSWERS)


class FilterBody(BaseModel):
    """As `linne.review.queue.Filter`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    check: str = ""
    label: str = ""
    suggestion: str = ""
    state: State = "all"
    text: str = Field("", max_length=1000)
    test: Test = "all"
    sort: Sort = "found"

    def filter(self) -> Filter:
        """Give it as the queue takes it."""
        return Filter(**self.model_dump())


class ListQuery(FilterBody):
    """A filter, and the case that was looked at before."""

    model_config = ConfigDict(extra="forbid", strict=False)  # numbers come as text in an address

    near: int = -1

    def filter(self) -> Filter:
        """Give the filter alone."""
        return Filter(**self.model_dump(exclude={"near"}))


class DecideAllBody(_Body):
    """One answer to all open cases that a filter lets through."""

    filter: FilterBody
    how: Wholesale
    why: str = Field("", max_length=LONGEST_NOTE)


class TurnBody(_Body):
    """The act that is to be undone, or done again."""

    act: int = Field(ge=1)
    turn: Literal["undo", "redo"]


Body = TypeVar("Body", bound=_Body)


async def read_json(request: Request, kind: type[Body]) -> Body:
    """Read a JSON body of one kind.

    Raises
    ------
    RequestError
        It is too large (413), not sent as JSON (415), or not of that kind (400).
    """
    # A form of another site's page cannot send this type without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "the body must be sent as application/json", "use the page")
    content = await read_body(request, MAX_BODY)
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(400, f"the body does not fit: {where}: {first['msg']}", "load the page again") from None
