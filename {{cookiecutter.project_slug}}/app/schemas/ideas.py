"""Ideas for recipes."""

from pydantic import BaseModel

from app.kit.upstream.results import Status


class SourceIdeas(BaseModel):
    """The ideas of one source, each as ``score: title (link)``."""

    name: str
    status: Status
    ideas: list[str]
    detail: str | None


class Ideas(BaseModel):
    """Ideas for recipes, by source."""

    sources: list[SourceIdeas]
