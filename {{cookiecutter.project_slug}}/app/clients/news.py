"""The news, from Hacker News."""

from pydantic import BaseModel

from app.kit.upstream.service import Upstream
from app.schemas.dashboard import Story

STORIES = 5


class NewsClient:
    """The stories on the front page."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.fetch = upstream.cached(self._fetch)

    async def _fetch(self) -> list[Story]:
        """Return the first stories; raise ``UpstreamError`` or ``TimeoutError``."""
        params = {"tags": "front_page", "hitsPerPage": STORIES}
        page = await self._upstream.get("/api/v1/search", params, FrontPage)
        return [Story(title=hit.title, url=hit.url, points=hit.points or 0) for hit in page.hits]


class StoryHit(BaseModel):
    """The fields that the service uses of a story; some stories have no URL."""

    title: str
    url: str | None = None
    points: int | None = None


class FrontPage(BaseModel):
    """The response of the search, with a list of stories."""

    hits: list[StoryHit]
