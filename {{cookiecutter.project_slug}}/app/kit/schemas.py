"""What schemas share: kinds of values, and the pages of a long list."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, EmailStr, Field, StringConstraints

# The range of BIGINT: what is beyond it cannot be stored or asked for.
MAX_ID = 2**63 - 1

ItemT = TypeVar("ItemT")


def whole(value: object) -> object:
    """Take 1.0 for 1, as JSON Schema does; a strict integer would refuse it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID), BeforeValidator(whole)]

# Something can be seen. NUL ends texts in C, and some databases refuse it.
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")
]


def lowered(value: object) -> object:
    """Write addresses alike that differ only in case, and so reach the same person."""
    return value.lower() if isinstance(value, str) else value


# Before it is judged: a few letters are longer in lower case.
Email = Annotated[EmailStr, BeforeValidator(lowered)]


def in_utc(value: dt.datetime) -> dt.datetime:
    """Return the time with its zone, which not every database keeps."""
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


# In what is sent as in what is stored: a time without a zone is one of UTC.
Utc = Annotated[dt.datetime, AfterValidator(in_utc)]


class PageQuery(BaseModel):
    """A page by key: stable under inserts, and as fast at the end as at the start."""

    after: Annotated[int, Field(ge=0, le=MAX_ID, description="the last id of the page before")] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class Page(BaseModel, Generic[ItemT]):
    """A page, and the ``after`` of the next one, null at the end."""

    items: list[ItemT]
    next_after: int | None

    @classmethod
    def cut(cls, rows: Sequence[Any], limit: int) -> Self:
        """Make a page of up to ``limit`` rows; one row more says that another page follows."""
        shown = rows[:limit]
        following = shown[-1].id if len(rows) > limit else None
        # As dicts, which pydantic reads in a third of the time.
        names = shown[0]._fields if shown else ()
        items = [dict(zip(names, row, strict=True)) for row in shown]
        return cls.model_validate({"items": items, "next_after": following})
