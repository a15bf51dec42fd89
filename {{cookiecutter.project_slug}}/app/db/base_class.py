"""The declarative base of all models."""

import datetime as dt

# {% if cookiecutter.database == "postgresql" %}
from sqlalchemy import BigInteger, DateTime, MetaData
# {% else %}
from sqlalchemy import DateTime, MetaData
# {% endif %}
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


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
        # {% if cookiecutter.database == "postgresql" %}
        int: BigInteger(),
        # {% endif %}
        dt.datetime: DateTime(timezone=True),
    }
    # {% if cookiecutter.database == "sqlite" %}
    # Or SQLite would give the id of the last row, once deleted, to another.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 (read by SQLAlchemy)
    # {% endif %}

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return cls.__name__.lower()
