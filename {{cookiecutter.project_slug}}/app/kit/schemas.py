"""Types that schemas share: texts, addresses, ids, times, request bodies and pages."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    model_validator,
)

# A BIGINT that floating point, which OpenAPI and JavaScript have only, reads and writes exactly.
MAX_ID = 9 * 10**18
MAX_UNKNOWN_FIELDS = 20
MAX_TEXT_LENGTH = 255
# A character decomposes into at most four code points, so longer texts are refused anyway.
# Normalising many combining marks takes quadratic time.
MAX_DECOMPOSED_LENGTH = 4 * MAX_TEXT_LENGTH
NUMBER = re.compile(r"0|[1-9][0-9]*")

ItemT = TypeVar("ItemT")


def compose(value: object) -> object:
    """Normalise a text to NFC, so that two spellings of the same characters are equal."""
    if not isinstance(value, str) or value.isascii() or len(value) > MAX_DECOMPOSED_LENGTH:
        return value
    return unicodedata.normalize("NFC", value)


# At least one visible character. NUL ends texts in C, and some databases refuse it.
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_TEXT_LENGTH, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"
    ),
    BeforeValidator(compose),
]


def lower(value: object) -> object:
    """Convert an address to lower case: in practice, the case of addresses has no meaning."""
    return value.lower() if isinstance(value, str) else value


# Lower case before the validation, because a few letters get longer; also NFC.
Email = Annotated[EmailStr, BeforeValidator(lower)]


def whole(value: object) -> object:
    """Accept 1.0 as 1, as JSON Schema does; a strict integer would refuse it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID), BeforeValidator(whole)]


def check_spelling(value: object) -> object:
    """Return the digits from a path or a query; raise ``ValueError`` for ``+2``, ``02`` or ``2.0``.

    A resource has one address; two spellings of it would be two entries in caches, logs and rules.
    """
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError("must be digits without a sign, spaces or leading zeros")
    return value


Spelling = BeforeValidator(check_spelling)


def to_utc(value: dt.datetime) -> dt.datetime:
    """Return the time in UTC; a time without a zone is in UTC, as some databases return it."""
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


Utc = Annotated[dt.datetime, AfterValidator(to_utc)]


class RequestModel(BaseModel):
    """A JSON body; unknown fields are refused, because a misspelt name would be ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _bound_unknown_fields(cls, values: object) -> object:
        # Pydantic describes each one, which takes 0.5 s for the 80,000 that a body of 1 MB can hold.
        if isinstance(values, dict) and len(values) > len(cls.model_fields) + MAX_UNKNOWN_FIELDS:
            raise ValueError("too many unknown fields")
        return values


class PageQuery(BaseModel):
    """A page after an id: stable under inserts, and as fast at the end as at the start."""

    after: Annotated[
        int, Field(ge=0, le=MAX_ID, description="the last id of the page before"), Spelling
    ] = 0
    limit: Annotated[int, Field(ge=1, le=100), Spelling] = 20


class Page(BaseModel, Generic[ItemT]):
    """A page; ``next_after`` is the ``after`` of the next page, null on the last page."""

    items: list[ItemT]
    next_after: int | None


class RowPage(TypedDict):
    """A page of rows, for a ``Page`` to validate."""

    items: list[dict[str, Any]]
    next_after: int | None


def cut_page(rows: Sequence[Any], limit: int) -> RowPage:
    """Return a page of up to ``limit`` rows; one extra row shows that another page follows."""
    shown = rows[:limit]
    # As dicts, which pydantic reads in a third of the time.
    names = shown[0]._fields if shown else ()
    items: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in shown]
    return {"items": items, "next_after": shown[-1].id if len(rows) > limit else None}
