"""${r.words_plural.capitalize()}."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String, Text, false, func, literal, true
from sqlalchemy.orm import Mapped, mapped_column

% if r.enums:
from app.core.${r.name} import ${r.enums}
% endif
from app.db.base_class import Base
from app.kit.db.types import ExactDecimal
from app.kit.db.versioned import Versioned


class ${r.cls}(${"Versioned, " if r.is_versioned else ""}Base):
    """A ${r.words}."""

% for field in r.fields:
    ${field.column}
% endfor
# {% if cookiecutter.auth %}
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
# {% endif %}
