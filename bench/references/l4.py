"""L4: FastAPI and blocking SQLAlchemy the usual way: L3 with ``def`` endpoints and psycopg."""

import os
from collections.abc import Generator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from models import Recipe
from schemas import RecipeCreate, RecipeRead
from sqlalchemy import create_engine, make_url, select
from sqlalchemy.orm import Session, sessionmaker

url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
engine = create_engine(url, pool_size=20, max_overflow=0)
open_session = sessionmaker(engine, expire_on_commit=False)


def get_session() -> Generator[Session]:
    """Lend a session for the time of a request."""
    with open_session() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
app = FastAPI()


@app.get("/health/live")
def live() -> dict[str, str]:
    """Answer without the database."""
    return {"status": "ok"}


@app.get("/api/v1/recipes/{id}", response_model=RecipeRead)
def read_recipe(session: SessionDep, id: int) -> Recipe:
    """Return one recipe."""
    recipe = session.execute(select(Recipe).where(Recipe.id == id)).scalar_one_or_none()
    if recipe is None:
        raise HTTPException(404)
    return recipe


@app.get("/api/v1/recipes/", response_model=list[RecipeRead])
def list_recipes(session: SessionDep, limit: int = 20) -> Sequence[Recipe]:
    """Return the first recipes."""
    return session.execute(select(Recipe).order_by(Recipe.id).limit(limit)).scalars().all()


@app.post("/api/v1/recipes/", status_code=201, response_model=RecipeRead)
def create_recipe(session: SessionDep, new: RecipeCreate) -> Recipe:
    """Store a recipe."""
    recipe = Recipe(**new.model_dump())
    session.add(recipe)
    session.commit()
    return recipe
