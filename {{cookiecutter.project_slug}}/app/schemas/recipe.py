"""Request and response bodies of recipes."""

from pydantic import MISSING, BaseModel, ConfigDict

from app.kit.fields import Url
# {% if cookiecutter.auth %}
from app.kit.schemas import RequestModel, Text
# {% else %}
from app.kit.schemas import Id, RequestModel, Text
# {% endif %}


class RecipeCreate(RequestModel):
    """All fields of a recipe."""

    label: Text
    source: Text
    url: Url
    # {% if not cookiecutter.auth %}
    submitter_id: Id
    # {% endif %}


class RecipeUpdate(RequestModel):
    """The fields to change; omitted fields keep their values."""

    label: Text | MISSING = MISSING
    source: Text | MISSING = MISSING
    url: Url | MISSING = MISSING
    # {% if not cookiecutter.auth %}
    submitter_id: Id | MISSING = MISSING
    # {% endif %}


class RecipeRead(BaseModel):
    """A stored recipe."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    label: str
    source: str
    url: str
    submitter_id: int


class RecipeMatches(BaseModel):
    """The results of a search."""

    items: list[RecipeRead]
