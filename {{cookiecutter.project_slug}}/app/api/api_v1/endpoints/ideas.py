"""Ideas for recipes: the same answer twice, slowly and fast."""

import asyncio

from anyio import from_thread
from fastapi import APIRouter

from app.api.fan_out import FanOutDep
from app.clients.ideas import IdeaSource
from app.clients.part import attempt
from app.schemas.fan_out import Ideas, Part, SourceIdeas

router = APIRouter(prefix="/recipes", tags=["ideas"])


@router.get("/ideas")
def fetch_ideas(services: FanOutDep) -> Ideas:
    """Ask the sources one after another; a thread is blocked all the while."""
    deadline = from_thread.run_sync(_deadline, services.deadline_seconds)
    return Ideas(
        sources=[
            _ideas_of(source, from_thread.run(attempt, source.fetch_one_by_one(), deadline))
            for source in services.ideas
        ]
    )


@router.get("/ideas/async")
async def fetch_ideas_async(services: FanOutDep) -> Ideas:
    """Ask the sources at the same time; nothing is blocked."""
    deadline = _deadline(services.deadline_seconds)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(attempt(source.fetch_together(), deadline))
            for source in services.ideas
        ]
    return Ideas(
        sources=[
            _ideas_of(source, task.result())
            for source, task in zip(services.ideas, tasks, strict=True)
        ]
    )


def _deadline(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _ideas_of(source: IdeaSource, part: Part[list[str]]) -> SourceIdeas:
    return SourceIdeas(
        name=source.name, status=part.status, ideas=part.data or [], detail=part.detail
    )
