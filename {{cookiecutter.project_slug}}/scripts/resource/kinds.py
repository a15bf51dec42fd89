"""The types of fields: ``str(200)``, ``decimal(10,2)``, ``enum(novel|poem)``, ``ref(user)``."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from scripts.resource import RefusedError

NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
MAX_QUERY_LENGTH = 255  # a cursor has the values of the last row, and is part of an address
MAX_INDEXED_LENGTH = 500  # an entry of an index has at most 2,704 bytes
MAX_DIGITS = 18  # of a BIGINT
DEFAULT_TEXT = re.compile(r"[\w@./:+-]+", re.ASCII)
# In requests, in the database, and in responses.
Default = tuple[str, str, str]


@dataclass(frozen=True)
class Kind:
    """A type: in the model, in requests and in responses, with values for the tests.

    All are Python expressions. ``unique`` makes a valid value of ``number``; without it, the type
    can be neither unique nor indexed. ``default`` returns the value in requests, the one in the
    database and the one in responses, or raises ``ValueError``. Without ``query``, no list can be
    filtered or sorted by the field: it has no order, or does not fit into an address.
    """

    python: str
    request: str
    values: tuple[str, str]
    invalid: tuple[str, ...]
    column: str = ""
    response: str = ""
    query: str = ""
    unique: str = ""
    length: int = 0
    default: Callable[[str], Default] | None = None


def make_kind(alias: str, name: str, given: str | None) -> Kind:
    """Return the type of a field; ``alias`` names what is made for it."""
    if name in {"str", "url"}:
        return (_string if name == "str" else _url)(*_numbers(name, given, 1))
    if name == "decimal":
        return _decimal(*_numbers(name, given, 2))
    if name == "enum":
        return _enum(alias, given or "")
    if name == "ref":
        return _reference(given or "")
    if name not in KINDS:
        known = ", ".join(sorted({*KINDS, "decimal", "enum", "ref", "str", "url"}))
        raise RefusedError(f"{name} is no type: the types are {known}")
    if given is not None:
        raise RefusedError(f"{name} takes no parentheses")
    return KINDS[name]


def _numbers(name: str, given: str | None, count: int) -> list[int]:
    if given is None:
        return []
    if not re.fullmatch(r"[0-9]{1,5}(,[0-9]{1,5})*", given) or given.count(",") != count - 1:
        example = "str(200)" if count == 1 else "decimal(10,2)"
        raise RefusedError(f"{name}({given}): write {example}")
    return [int(number) for number in given.split(",")]


def _text_default(length: int) -> Callable[[str], Default]:
    def check(value: str) -> Default:
        if len(value) > length or not DEFAULT_TEXT.fullmatch(value):
            raise ValueError(value)
        return quoted(value), quoted(value), quoted(value)

    return check


def quoted(text: str) -> str:
    """Return a text as ruff formats it."""
    return f'"{text}"'


def _string(length: int = 255) -> Kind:
    if not 1 <= length <= 10_000:
        raise RefusedError(f"str({length}): give a length from 1 to 10000")
    base = "Text" if length <= 255 else "LongText"
    request = base if length == 255 else f"Annotated[{base}, Field(max_length={length})]"
    return Kind(
        python="str",
        column=f"String({length})",
        request=request,
        query=request if length <= MAX_QUERY_LENGTH else "",
        values=(quoted("A text"[:length]), quoted("B text"[:length])),
        invalid=('""', '" "', f'"x" * {length + 1}', "5"),
        length=length,
        unique=f"str(number)[-{length}:]" if length <= MAX_INDEXED_LENGTH else "",
        default=_text_default(length),
    )


def _url(length: int = 2000) -> Kind:
    if not 30 <= length <= 2000:
        raise RefusedError(f"url({length}): give a length from 30 to 2000")
    request = "Url" if length == 2000 else f"Annotated[Url, Field(max_length={length})]"
    return Kind(
        python="str",
        column=f"String({length})",
        request=request,
        query=request if length <= MAX_QUERY_LENGTH else "",
        values=('"https://example.com/a"', '"https://example.com/b"'),
        invalid=('"javascript:alert(1)"', '"example.com"', f'"http://" + "x" * {length}', "5"),
        unique='f"https://example.com/{number}"' if length <= MAX_INDEXED_LENGTH else "",
    )


def _decimal(precision: int = 12, scale: int = 2) -> Kind:
    if not 1 <= precision <= MAX_DIGITS or scale >= precision:
        raise RefusedError(
            f"decimal({precision},{scale}): give 1 to {MAX_DIGITS} digits, fewer after the point"
        )
    whole, fraction = precision - scale, "." + "5".ljust(scale, "0") if scale else ""

    request = f"Annotated[Decimal, Digits({precision}, {scale})]"

    def default(value: str) -> Default:
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            raise ValueError(value)
        digits, _, rest = value.removeprefix("-").partition(".")
        if len(digits) > whole or len(rest) > scale:
            raise ValueError(value)
        number = f'Decimal("{value}")'
        shown = quoted(f"{Decimal(value):.{scale}f}")
        return number, f"literal({number}, ExactDecimal({precision}, {scale}))", shown

    return Kind(
        python="Decimal",
        column=f"ExactDecimal({precision}, {scale})",
        request=request,
        response=request,
        query=request,
        values=(f'"1{fraction}"', f'"2{fraction}"'),
        invalid=(f'"1.5{"0" * scale}"', f'"1{"0" * whole}"', "0.25", '"one"', '"NaN"', '"1e0"'),
        unique='f"{number % 10}' + f'{fraction}"',
        default=default,
    )


def _enum(alias: str, given: str) -> Kind:
    values = given.split("|")
    if len(values) < 2 or not all(re.fullmatch(r"[a-z][a-z0-9_]{0,49}", it) for it in values):
        raise RefusedError(f"enum({given}): write two or more words, such as enum(draft|final)")
    if len(set(values)) < len(values):
        raise RefusedError(f"enum({given}): each word may be there once")

    def default(value: str) -> Default:
        if value not in values:
            raise ValueError(value)
        return f"{alias}.{value.upper()}", f"{alias}.{value.upper()}", quoted(value)

    return Kind(
        python=alias,
        request=alias,
        query=alias,
        values=(quoted(values[0]), quoted(values[1])),
        invalid=('"no such value"', '""', "5"),
        default=default,
    )


def _reference(target: str) -> Kind:
    if not NAME.fullmatch(target):
        raise RefusedError(f"ref({target}): name a resource, such as ref(user)")
    return Kind(
        python="int",
        column=f'ForeignKey("{target.replace("_", "")}.id")',
        request="Id",
        query="IdText",
        values=("", ""),  # the tests add the record that it refers to
        invalid=('"one"', "0", "-1", "1.5", "True"),
        unique="number",
    )


def _integer_default(value: str) -> Default:
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", value):
        raise ValueError(value)
    return value, quoted(value), value


def _float_default(value: str) -> Default:
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}", value):
        raise ValueError(value)
    number = repr(float(value))
    return number, quoted(number), number


def _boolean_default(value: str) -> Default:
    if value not in {"true", "false"}:
        raise ValueError(value)
    return value.capitalize(), f"{value}()", value.capitalize()


def _date_default(value: str) -> Default:
    day = dt.datetime.strptime(value, "%Y-%m-%d").date()
    text = quoted(day.isoformat())
    return f"dt.date({day.year}, {day.month}, {day.day})", text, text


def _time_default(value: str) -> Default:
    if value != "now":
        raise ValueError(value)
    return "Field(default_factory=now)", "func.now()", ""


KINDS = {
    "text": Kind(
        "str",
        "LongText",
        ('"A long text."', '"Another text."'),
        ('""', '" "', '"x" * 10_001', "5"),
        column="Text",
        length=10_000,
        default=_text_default(255),
    ),
    "int": Kind(
        "int",
        "Integer",
        ("1", "-2"),
        ('"one"', "1.5", "True", "2**53"),
        query="IntegerText",
        unique="number",
        default=_integer_default,
    ),
    "float": Kind(
        "float",
        "Float",
        ("1.5", "-2.5"),
        ('"1.5"', "True"),
        query="FloatText",
        unique="number + 0.5",
        default=_float_default,
    ),
    "bool": Kind(
        "bool",
        "Boolean",
        ("True", "False"),
        ('"true"', "1"),
        query="bool",
        default=_boolean_default,
    ),
    "date": Kind(
        "dt.date",
        "Date",
        ('"2024-02-29"', '"2025-01-31"'),
        ('"2023-02-29"', '"2024-02-29T00:00:00"', "20240229"),
        query="Date",
        unique="str(dt.date(2024, 3, 1) + dt.timedelta(days=number))",
        default=_date_default,
    ),
    "datetime": Kind(
        "dt.datetime",
        "Timestamp",
        ('"2024-02-29T12:00:00Z"', '"2025-01-31T08:30:00Z"'),
        ('"2024-02-29T12:00:00"', '"0001-01-01T00:00:00Z"', '"noon"', "1709208000"),
        response="Utc",
        query="Timestamp",
        unique='f"2024-01-01T00:00:{number % 60:02}Z"',
        default=_time_default,
    ),
    "uuid": Kind(
        "UUID",
        "UUID",
        ('"6ba7b810-9dad-11d1-80b4-00c04fd430c8"', '"6ba7b811-9dad-11d1-80b4-00c04fd430c8"'),
        ('"6ba7b810"', "5"),
        query="UUID",
        unique="str(UUID(int=number))",
    ),
    "json": Kind(
        "dict[str, Any]",
        "JsonObject",
        ('{"a": 1}', '{"b": [None, True]}'),
        ('"text"', "[]", '{"long": "x" * 10_000}'),
        column="JSON(none_as_null=True)",
        response="dict[str, JsonValue]",
    ),
    "email": Kind(
        "str",
        "Email",
        ('"a@example.com"', '"b@example.com"'),
        ('"nobody"', '"a@" + "x" * 250 + ".com"', "5"),
        column="String(254)",
        query="Email",
        unique='f"a{number}@example.com"',
    ),
}
