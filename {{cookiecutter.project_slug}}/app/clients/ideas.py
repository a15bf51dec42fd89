"""Ideas for recipes, from Reddit."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from pydantic import BaseModel

from app.clients.upstream import Upstream, cached
from app.core.fan_out import FanOutSettings

IDEAS_PER_SOURCE = 5


class IdeaSource:
    """One source of ideas."""

    def __init__(self, name: str, upstream: Upstream, settings: FanOutSettings) -> None:
        self.name = name
        self._upstream = upstream
        params = {"sort": "top", "t": "day", "limit": IDEAS_PER_SOURCE}
        self._url = upstream.url(f"/r/{quote(name, safe='')}/top.json", params)
        # The twins cache apart, so that each shows its own time.
        self.fetch_one_by_one = cached(self._fetch, settings)
        self.fetch_together = cached(self._fetch, settings)

    async def _fetch(self) -> list[str]:
        """Return today's best, each as ``score: title (link)``."""
        listing = await self._upstream.get(self._url, Listing)
        posts = [child.data for child in listing.data.children[:IDEAS_PER_SOURCE]]
        return [f"{post.score}: {post.title} ({post.url})" for post in posts]


@asynccontextmanager
async def open_idea_sources(settings: FanOutSettings) -> AsyncGenerator[list[IdeaSource]]:
    """Lend the sources, with connections of their own: one that hangs takes none of the others'."""
    headers = {"User-Agent": settings.ideas_user_agent}
    async with AsyncExitStack() as stack:
        sources = []
        for name in settings.ideas_sources:
            opening = Upstream.open(settings.ideas_base_url, settings, headers=headers)
            upstream = await stack.enter_async_context(opening)
            sources.append(IdeaSource(name, upstream, settings))
        yield sources


class Post(BaseModel):
    """What we use of a post, in Reddit's format."""

    score: int
    title: str
    url: str


class Child(BaseModel):
    """The envelope of a post."""

    data: Post


class Children(BaseModel):
    """The posts of a listing."""

    children: list[Child]


class Listing(BaseModel):
    """The envelope of a listing."""

    data: Children
