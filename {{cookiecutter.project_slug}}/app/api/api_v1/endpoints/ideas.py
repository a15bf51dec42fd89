"""Ideas for recipes from several sources, called sequentially or concurrently."""

import asyncio

from fastapi import APIRouter

from app.api.clients import BLOCKING, DeadlineDep, SourcesDep
from app.schemas.ideas import Ideas

router = APIRouter(prefix="/recipes", tags=["ideas"])


@router.get("/ideas", dependencies=[BLOCKING])
def fetch_ideas(sources: SourcesDep, deadline: DeadlineDep) -> Ideas:
    """Call the sources sequentially: takes the sum of their times and blocks a thread."""
    answers = [source.fetch(deadline) for source in sources]
    return Ideas(sources=answers)


@router.get("/ideas/async")
async def fetch_ideas_async(sources: SourcesDep, deadline: DeadlineDep) -> Ideas:
    """Call the sources concurrently: takes the time of the slowest and blocks no thread."""
    answers = await asyncio.gather(*(source.fetch_async(deadline) for source in sources))
    return Ideas(sources=answers)
