"""Request and response bodies of ${r.words_plural}."""

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BaseModel, ConfigDict, Field, JsonValue

% if r.enums:
from app.core.${r.name} import ${r.enums}
% endif
from app.kit.db.listing import ListQuery, sort_by
from app.kit.fields import (
    Boolean,
    Date,
    Digits,
    Float,
    FloatText,
    IdText,
    Integer,
    IntegerText,
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
% if r.is_versioned:
    created_at: Utc
    updated_at: Utc
    version: int
% endif
# {% if cookiecutter.auth %}
    owner_id: int
# {% endif %}
% if r.is_sortable:


class ${r.cls}Query(ListQuery):
    """What clients may sort and filter ${r.words_plural} by."""

    sort: Annotated[str, sort_by(${r.quoted(r.sortable)})] = "id"
% for field in r.filters:
    ${field.to_filter}
% endfor
% endif
