"""Requests that outlast the service."""

import asyncio

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from app.middleware.cut_off import CutOffMiddleware

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def cut_off(app: FastAPI, *, begun: bool) -> list[Message]:
    """Cancel a request that waits, as the server does, and return what was sent."""
    sent: list[Message] = []

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        if begun:
            await send(START)
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "app": app}
    task = asyncio.ensure_future(CutOffMiddleware(endless)(scope, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is (sent[:1] in ([], [START]))
    return sent


@pytest.mark.parametrize(
    ("is_draining", "begun", "statuses"),
    [(True, False, [503]), (True, True, [200]), (False, False, [])],
)
async def test_only_who_waits_while_the_service_leaves_is_told(
    app: FastAPI, is_draining: bool, begun: bool, statuses: list[int]
) -> None:
    app.state.is_draining = is_draining
    sent = await cut_off(app, begun=begun)
    starts = [message for message in sent if "status" in message]
    assert [start["status"] for start in starts] == statuses
    assert all((b"connection", b"close") in start["headers"] for start in starts[begun:])
