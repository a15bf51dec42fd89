"""Request and response bodies of ${r.words_plural}."""

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BaseModel, ConfigDict, Field, JsonValue

% if r.enums:
from app.core.${r.name} import ${r.enums}
% endif
from app.kit.fields import (
    Boolean,
    Date,
    Digits,
    Float,
    Integer,
    JsonObject,
    LongText,
    Timestamp,
    Url,
    now,
)
from app.kit.schemas import Email, Id, RequestModel, Text, Utc

% for field in r.fields:
% if field.request != field.kind.request:
${field.request} = ${field.kind.request}
% endif
% endfor


class ${r.cls}Create(RequestModel):
    """All fields of a ${r.words}."""

% for field in r.fields:
    ${field.to_create}
% endfor


class ${r.cls}Update(RequestModel):
    """The fields to change; omitted fields keep their values."""

% for field in r.fields:
    ${field.to_update}
% endfor


class ${r.cls}Read(BaseModel):
    """A stored ${r.words}."""

    model_config = ConfigDict(from_attributes=True)

    id: int
% for field in r.fields:
    ${field.to_read}
% endfor
# {% if cookiecutter.auth %}
    owner_id: int
# {% endif %}
