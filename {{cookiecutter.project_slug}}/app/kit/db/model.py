"""The declarative base of all models, with column types that suit both databases."""

import datetime as dt
import enum
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, DateTime, Enum, Integer, MetaData, Row, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

Record: TypeAlias = Row[*tuple[Any, ...]]

ENUM_LENGTH = 50


def _values(members: type[enum.Enum]) -> list[str]:
    return [member.value for member in members]


class Base(DeclarativeBase):
    """A table named after its class, with an integer key and named constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (read by SQLAlchemy, never changed)
        # SQLite generates keys only for the type INTEGER, which has 64 bits there.
        int: BigInteger().with_variant(Integer(), "sqlite"),
        dt.datetime: DateTime(timezone=True),
        # Text, so that a new value needs no migration: SQLAlchemy refuses other values.
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            length=ENUM_LENGTH,
            validate_strings=True,
            values_callable=_values,
        ),
    }

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 (as SQLAlchemy has it)
        """Make SQLite generate ids as PostgreSQL does: it never reuses one."""
        super().__init_subclass__(**options)
        if isinstance(table := cls.__dict__.get("__table__"), Table):
            table.dialect_kwargs["sqlite_autoincrement"] = True

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return cls.__name__.lower()
