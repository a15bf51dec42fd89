"""Many requests at once, and how many of them pass."""

import asyncio
from collections import Counter

import httpx2


async def statuses(count: int, *clients: httpx2.AsyncClient) -> Counter[int]:
    """Send so many requests at once with each client, and count the statuses of the answers."""
    answers = await asyncio.gather(*(c.get("/nowhere") for c in clients for _ in range(count)))
    return Counter(answer.status_code for answer in answers)
