"""The news, from Hacker News."""

from pydantic import BaseModel

from app.clients.upstream import Upstream, cached
from app.core.fan_out import FanOutSettings
from app.schemas.fan_out import Story

STORIES = 5


class NewsClient:
    """Tells what is on the front page."""

    def __init__(self, upstream: Upstream, settings: FanOutSettings) -> None:
        self._upstream = upstream
        params = {"tags": "front_page", "hitsPerPage": STORIES}
        self._url = upstream.url("/api/v1/search", params)
        self.fetch = cached(self._fetch, settings)

    async def _fetch(self) -> list[Story]:
        """Return the first stories; raise ``UpstreamError`` or ``TimeoutError``."""
        page = await self._upstream.get(self._url, FrontPage)
        return [Story(title=hit.title, url=hit.url, points=hit.points or 0) for hit in page.hits]


class Hit(BaseModel):
    """What we use of a story, in the format of Hacker News' search; some link to nothing."""

    title: str
    url: str | None = None
    points: int | None = None


class FrontPage(BaseModel):
    """The envelope."""

    hits: list[Hit]
