"""A dashboard from two other services."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from app.api.clients import ClientsDep, DeadlineDep
from app.kit.upstream.results import attempt
from app.schemas.dashboard import Dashboard

router = APIRouter(prefix="/dashboard", tags=["dashboard"])

# At least one letter or digit, which excludes "." and "..", and no control characters.
City = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\w[^\x00-\x1f\x7f]*$")]


@router.get("/{city}")
async def show_dashboard(city: City, clients: ClientsDep, deadline: DeadlineDep) -> Dashboard:
    """Return a city's weather and the news; a failed part has the reason in `detail`."""
    weather, news = await asyncio.gather(
        attempt(clients.weather.fetch(city), deadline),
        attempt(clients.news.fetch(), deadline),
    )
    return Dashboard(city=city, weather=weather, news=news)
