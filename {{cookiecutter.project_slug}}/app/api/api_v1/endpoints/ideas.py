"""Ideas for recipes: the same answer twice, slowly and fast."""

import asyncio

from anyio import from_thread, to_thread
from fastapi import APIRouter

from app.api.fan_out import DeadlineDep, FanOutDep
from app.clients.fan_out import attempt
from app.clients.ideas import IdeaSource
from app.schemas.fan_out import Ideas, Part, SourceIdeas

router = APIRouter(prefix="/recipes", tags=["ideas"])


@router.get("/ideas")
async def fetch_ideas(services: FanOutDep, deadline: DeadlineDep) -> Ideas:
    """Ask the sources one after another; a thread is blocked all the while."""

    def ask_one_by_one() -> list[Part[list[str]]]:
        return [
            from_thread.run(attempt, source.fetch_one_by_one(), deadline)
            for source in services.ideas
        ]

    parts = await to_thread.run_sync(ask_one_by_one, limiter=services.threads)
    return _report(services.ideas, parts)


@router.get("/ideas/async")
async def fetch_ideas_async(services: FanOutDep, deadline: DeadlineDep) -> Ideas:
    """Ask the sources at the same time; nothing is blocked."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(attempt(source.fetch_together(), deadline))
            for source in services.ideas
        ]
    return _report(services.ideas, [task.result() for task in tasks])


def _report(sources: list[IdeaSource], parts: list[Part[list[str]]]) -> Ideas:
    return Ideas(
        sources=[
            SourceIdeas(
                name=source.name, status=part.status, ideas=part.data or [], detail=part.detail
            )
            for source, part in zip(sources, parts, strict=True)
        ]
    )
