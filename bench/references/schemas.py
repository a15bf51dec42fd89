"""What clients of the references send and get: the fields of the service's recipes."""

from pydantic import BaseModel, ConfigDict


class RecipeCreate(BaseModel):
    """A new recipe."""

    label: str
    source: str
    url: str
    submitter_id: int


class RecipeRead(RecipeCreate):
    """A stored recipe."""

    model_config = ConfigDict(from_attributes=True)

    id: int
