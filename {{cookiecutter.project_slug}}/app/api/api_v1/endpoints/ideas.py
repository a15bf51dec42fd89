"""Ideas for recipes from several sources: one after another, and all at once."""

import asyncio

from fastapi import APIRouter

from app.api.clients import BLOCKING, DeadlineDep, SourcesDep
from app.schemas.ideas import Ideas

router = APIRouter(prefix="/recipes", tags=["ideas"])


@router.get("/ideas", dependencies=[BLOCKING])
def fetch_ideas(sources: SourcesDep, deadline: DeadlineDep) -> Ideas:
    """Ask one source after another: the time is the sum of theirs, and a thread is blocked."""
    answers = [source.fetch(deadline) for source in sources]
    return Ideas(sources=answers)


@router.get("/ideas/async")
async def fetch_ideas_async(sources: SourcesDep, deadline: DeadlineDep) -> Ideas:
    """Ask all sources at once: the time is that of the slowest, and nothing is blocked."""
    answers = await asyncio.gather(*(source.fetch_async(deadline) for source in sources))
    return Ideas(sources=answers)
