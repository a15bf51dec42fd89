"""Ideas for recipes, from Reddit."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote

from anyio import from_thread
from pydantic import AliasPath, BaseModel, Field

from app.kit.upstream.results import attempt
from app.kit.upstream.service import Upstream
from app.schemas.ideas import SourceIdeas

IDEAS_PER_SOURCE = 5


class IdeaSource:
    """One source of ideas."""

    def __init__(self, name: str, upstream: Upstream) -> None:
        self._name = name
        self._upstream = upstream
        # One cache per endpoint, so that each shows its own response time.
        self._cached = upstream.cached(self._fetch)
        self._cached_async = upstream.cached(self._fetch)

    def fetch(self, deadline: float) -> SourceIdeas:
        """Return today's top ideas; block the calling thread until they arrive."""
        return from_thread.run(self._report, self._cached, deadline)

    async def fetch_async(self, deadline: float) -> SourceIdeas:
        """Return today's top ideas without blocking a thread."""
        return await self._report(self._cached_async, deadline)

    async def _report(
        self, fetch: Callable[[], Awaitable[list[str]]], deadline: float
    ) -> SourceIdeas:
        part = await attempt(fetch(), deadline)
        return SourceIdeas(
            name=self._name, status=part.status, ideas=part.data or [], detail=part.detail
        )

    async def _fetch(self) -> list[str]:
        """Return ideas as ``score: title (link)``; raise ``UpstreamError`` or ``TimeoutError``."""
        path = f"/r/{quote(self._name, safe='')}/top.json"
        params = {"sort": "top", "t": "day", "limit": IDEAS_PER_SOURCE}
        listing = await self._upstream.get(path, params, Listing)
        posts = listing.posts[:IDEAS_PER_SOURCE]
        return [f"{post.score}: {post.title} ({post.url})" for post in posts]


class Post(BaseModel):
    """The fields that the service uses of a post, in Reddit's format."""

    score: Annotated[int, Field(validation_alias=AliasPath("data", "score"))]
    title: Annotated[str, Field(validation_alias=AliasPath("data", "title"))]
    url: Annotated[str, Field(validation_alias=AliasPath("data", "url"))]


class Listing(BaseModel):
    """Reddit's response, with a list of posts."""

    posts: Annotated[list[Post], Field(validation_alias=AliasPath("data", "children"))]
