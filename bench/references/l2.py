"""L2: FastAPI and asyncpg without SQLAlchemy."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, HTTPException
from schemas import RecipeCreate, RecipeRead
from sql import CREATE, GET, LIST

pool: asyncpg.Pool


async def no_reset(_: object) -> None:
    """Skip what asyncpg does when a connection comes back: no session state is changed here."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    """Open the pool, and close it at the end."""
    global pool
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=20, max_size=20, reset=no_reset) as pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/health/live")
async def live() -> dict[str, str]:
    """Answer without the database."""
    return {"status": "ok"}


@app.get("/api/v1/recipes/{id}", response_model=RecipeRead)
async def read_recipe(id: int) -> dict[str, Any]:
    """Return one recipe."""
    row = await pool.fetchrow(GET, id)
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.get("/api/v1/recipes/", response_model=list[RecipeRead])
async def list_recipes(limit: int = 20) -> list[dict[str, Any]]:
    """Return the first recipes."""
    return [dict(row) for row in await pool.fetch(LIST, limit)]


@app.post("/api/v1/recipes/", status_code=201, response_model=RecipeRead)
async def create_recipe(new: RecipeCreate) -> dict[str, Any]:
    """Store a recipe."""
    values = (new.label, new.source, new.url, new.submitter_id)
    return dict(await pool.fetchrow(CREATE, *values))
