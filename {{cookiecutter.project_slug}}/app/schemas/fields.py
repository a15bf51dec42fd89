"""Kinds of values that several schemas share."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field, StringConstraints

# The range of BIGINT: what is beyond it cannot be stored or asked for.
MAX_ID = 2**63 - 1


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
