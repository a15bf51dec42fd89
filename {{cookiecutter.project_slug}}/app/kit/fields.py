"""Types of fields in request bodies, beside those in ``schemas.py``.

JSON has few types, and pydantic converts between many: here a number is no text, ``true`` is no
number, and a date is no timestamp. OpenAPI describes each type as it is accepted.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from app.kit.schemas import MAX_ID, Spelling, to_utc, whole

MAX_LONG_TEXT_LENGTH = 10_000
MAX_URL_LENGTH = 2000
MAX_JSON_LENGTH = 10_000
MAX_INTEGER = 2**53 - 1  # up to this, floating point is exact, and JavaScript has nothing else
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(DATE.pattern + r"[Tt ][0-9]{2}:.+")
# A time zone moves a time by less than a day, and years have four digits.
FIRST_TIME = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
LAST_TIME = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)

# As `Text`, but longer, and stored as typed: normalising a long text can take quadratic time.
LongText = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_LONG_TEXT_LENGTH, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"
    ),
]
# Stored as typed; the scheme is checked because pages render it as a link.
Url = Annotated[
    str,
    StringConstraints(max_length=MAX_URL_LENGTH, pattern=r"^https?://[^\x00-\x20\x7f-\xa0]+$"),
]
Integer = Annotated[
    int, Field(strict=True, ge=-MAX_INTEGER, le=MAX_INTEGER), BeforeValidator(whole)
]
Float = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Boolean = Annotated[bool, Field(strict=True)]
# In queries, where every value is a text.
IntegerText = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
FloatText = Annotated[float, Field(allow_inf_nan=False)]
IdText = Annotated[int, Field(ge=1, le=MAX_ID), Spelling]


def check_date(value: object) -> object:
    """Return the value; raise ``ValueError`` for a number or a time, which are no dates."""
    if isinstance(value, dt.date) or (isinstance(value, str) and DATE.fullmatch(value)):
        return value
    raise ValueError("must be a text such as 2024-02-29")


def check_time(value: object) -> object:
    """Return the value; raise ``ValueError`` for a number, which would be a timestamp."""
    if isinstance(value, dt.datetime) or (isinstance(value, str) and TIME.fullmatch(value)):
        return value
    raise ValueError("must be a text such as 2024-02-29T12:00:00Z")


def check_range(value: dt.datetime) -> dt.datetime:
    """Return the time; raise ``ValueError`` if another time zone could not express it."""
    if not FIRST_TIME <= value <= LAST_TIME:
        raise ValueError("must be a time of the years 1 to 9999")
    return value


def now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(dt.UTC)


Date = Annotated[dt.date, BeforeValidator(check_date)]
Timestamp = Annotated[
    AwareDatetime, AfterValidator(check_range), AfterValidator(to_utc), BeforeValidator(check_time)
]


def without_exponent(value: Decimal) -> str:
    """Return the number as a text.

    A bound ``str.format`` would do, but pydantic refuses its signature on Python 3.13 and newer.
    """
    return f"{value:f}"


@dataclass(frozen=True)
class Digits:
    """Annotates a ``Decimal`` with at most ``precision`` digits, ``scale`` of them after the point.

    ``scale`` is less than ``precision``. In JSON it is a text such as ``"12.50"``: many clients read numbers as floating point.
    """

    precision: int
    scale: int

    @property
    def pattern(self) -> str:
        """The texts that are accepted, as a regular expression."""
        whole = "[0-9]{1," + str(self.precision - self.scale) + "}"
        fraction = r"(\.[0-9]{1," + str(self.scale) + "})?" if self.scale else ""
        return f"^-?{whole}{fraction}$"

    def read(self, value: object) -> Decimal:
        """Return the number; raise ``ValueError``."""
        if isinstance(value, Decimal):
            return value
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return Decimal(value)
        raise ValueError(f'must be a text such as "{Decimal(1).scaleb(-self.scale):f}"')

    def __get_pydantic_core_schema__(
        self, _source: type[Decimal], handler: GetCoreSchemaHandler
    ) -> Any:  # noqa: ANN401 (of pydantic_core, which is not our dependency)
        """Tell pydantic how to read, write and describe the number."""
        return handler(
            Annotated[
                Decimal,
                PlainValidator(self.read),
                PlainSerializer(without_exponent, return_type=str, when_used="json"),
                WithJsonSchema({"type": "string", "pattern": self.pattern}),
            ]
        )


def check_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the object; raise ``ValueError`` if it is long, or has a NaN, which is no JSON."""
    if len(json.dumps(value, allow_nan=False)) > MAX_JSON_LENGTH:
        raise ValueError(f"must have at most {MAX_JSON_LENGTH} characters")
    return value


JsonObject = Annotated[dict[str, JsonValue], AfterValidator(check_json)]
