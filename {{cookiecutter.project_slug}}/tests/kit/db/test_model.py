"""Types of columns that all models share."""

import enum

import pytest
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.kit.db.model import Base


class Colour(enum.StrEnum):
    RED = "red"


class OwnBase(DeclarativeBase):
    type_annotation_map = Base.type_annotation_map


class Paint(OwnBase):
    __tablename__ = "paint"

    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[Colour]


def test_enum_is_stored_as_its_value_and_refuses_others() -> None:
    """So a new value needs no migration."""
    column = Paint.__table__.c.colour
    assert str(column.type.compile(DefaultDialect())) == "VARCHAR(50)"
    store = column.type.bind_processor(DefaultDialect())
    assert store is not None
    assert (store(Colour.RED), store("red")) == ("red", "red")
    with pytest.raises(LookupError, match="lime"):
        store("lime")
