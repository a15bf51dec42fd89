"""L3: FastAPI and asynchronous SQLAlchemy the usual way: a session for each request, the ORM."""

import os
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from models import Recipe
from schemas import RecipeCreate, RecipeRead
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
engine = create_async_engine(url, pool_size=20, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)


async def get_session() -> AsyncGenerator[AsyncSession]:
    """Lend a session for the time of a request."""
    async with Session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
app = FastAPI()


@app.get("/health/live")
async def live() -> dict[str, str]:
    """Answer without the database."""
    return {"status": "ok"}


@app.get("/api/v1/recipes/{id}", response_model=RecipeRead)
async def read_recipe(session: SessionDep, id: int) -> Recipe:
    """Return one recipe."""
    result = await session.execute(select(Recipe).where(Recipe.id == id))
    recipe = result.scalar_one_or_none()
    if recipe is None:
        raise HTTPException(404)
    return recipe


@app.get("/api/v1/recipes/", response_model=list[RecipeRead])
async def list_recipes(session: SessionDep, limit: int = 20) -> Sequence[Recipe]:
    """Return the first recipes."""
    result = await session.execute(select(Recipe).order_by(Recipe.id).limit(limit))
    return result.scalars().all()


@app.post("/api/v1/recipes/", status_code=201, response_model=RecipeRead)
async def create_recipe(session: SessionDep, new: RecipeCreate) -> Recipe:
    """Store a recipe."""
    recipe = Recipe(**new.model_dump())
    session.add(recipe)
    await session.commit()
    return recipe
