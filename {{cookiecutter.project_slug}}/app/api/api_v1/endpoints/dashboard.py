"""A dashboard from two other services."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from app.api.fan_out import DeadlineDep, FanOutDep
from app.clients.fan_out import attempt
from app.schemas.fan_out import Dashboard

router = APIRouter(prefix="/dashboard", tags=["dashboard"])

# A letter or digit, so that "." and ".." are no cities, and no control characters.
City = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\w[^\x00-\x1f\x7f]*$")]


@router.get("/{city}")
async def show_dashboard(city: City, services: FanOutDep, deadline: DeadlineDep) -> Dashboard:
    """Return a city's weather and the news; a part that is not to be had says so."""
    async with asyncio.TaskGroup() as group:
        weather = group.create_task(attempt(services.weather.fetch(city), deadline))
        news = group.create_task(attempt(services.news.fetch(), deadline))
    return Dashboard(city=city, weather=weather.result(), news=news.result())
