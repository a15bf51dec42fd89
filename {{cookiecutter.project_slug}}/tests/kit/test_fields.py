"""Types of fields: each accepts its values only, and converts nothing silently."""

import datetime as dt
import json
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sqlalchemy.engine.default import DefaultDialect

from app.kit import fields
from app.kit.db.types import ExactDecimal
from app.kit.fields import MAX_INTEGER, Digits, Timestamp

Price = Annotated[Decimal, Digits(5, 2)]
LATE = "9999-12-31T23:59:59-12:00"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Boolean", 1),
        ("Boolean", "true"),
        ("Date", 20240229),
        ("Date", "2023-02-29"),
        ("Date", "2024-02-29T00:00:00"),
        ("Date", "٢٠٢٤-٠٢-٢٩"),
        ("Float", "1.5"),
        ("Float", float("nan")),
        ("Integer", "1"),
        ("Integer", 1.5),
        ("Integer", True),
        ("Integer", MAX_INTEGER + 1),
        ("JsonObject", []),
        ("JsonObject", {"a": float("nan")}),
        ("JsonObject", {"a": "x" * 10_000}),
        ("LongText", " "),
        ("LongText", "a\0"),
        ("Price", 1.5),
        ("Price", "1.505"),
        ("Price", "1000"),
        ("Price", "1e1"),
        ("Price", "NaN"),
        ("Price", "١"),
        ("Timestamp", 1709208000),
        ("Timestamp", "1709208000"),
        ("Timestamp", "2024-02-29T12:00:00"),
        ("Timestamp", "0001-01-01T00:00:00+01:00"),
        ("Timestamp", LATE),
        ("Url", "javascript:alert(1)"),
    ],
    ids=repr,
)
def test_other_values_are_refused(name: str, value: object) -> None:
    type_: Any = Price if name == "Price" else getattr(fields, name)
    with pytest.raises(ValidationError):
        TypeAdapter(type_).validate_python(value)


def test_time_is_stored_in_utc() -> None:
    read = TypeAdapter(Timestamp).validate_python("2024-02-29T12:00:00+02:00")
    assert (read, read.tzinfo) == (dt.datetime(2024, 2, 29, 10, tzinfo=dt.UTC), dt.UTC)


class Priced(BaseModel):
    """A body with an exact number."""

    model_config = ConfigDict(from_attributes=True)

    price: Price | None


@pytest.mark.parametrize(("text", "shown"), [("-0.50", "-0.50"), ("007.5", "7.5"), ("999", "999")])
def test_decimal_is_a_text_in_json(text: str, shown: str) -> None:
    body = Priced.model_validate({"price": text})
    assert body.model_dump() == {"price": Decimal(text)}
    assert json.loads(body.model_dump_json()) == {"price": shown}
    small = Priced(price=Decimal("0.0000001"))  # which Python writes as 1E-7
    assert small.model_dump_json() == '{"price":"0.0000001"}'


def test_decimals_are_exact_in_the_database() -> None:
    """Also where the database has floating point only."""
    number, type_ = Decimal("12.30"), ExactDecimal(10, 2)
    for name in ("default", "sqlite"):
        dialect = DefaultDialect()
        dialect.name = name
        stored = type_.process_bind_param(number, dialect)
        assert not isinstance(stored, float)
        assert str(type_.process_result_value(stored, dialect)) == "12.30"
        assert type_.process_bind_param(None, dialect) is None
        assert type_.process_result_value(None, dialect) is None
