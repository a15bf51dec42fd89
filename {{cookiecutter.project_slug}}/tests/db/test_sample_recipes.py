"""The samples on a developer's machine."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import pytest
from sqlalchemy import delete

from app.core.config import Settings
from app.core.errors import ConflictError
from app.crud.crud_recipe import recipe
from app.db.base import User
from app.db.init_db import init_db
from app.db.session import Database


async def count(database: Database) -> int:
    async with database.read() as connection:
        return len(await recipe.get_multi(connection, after=0, limit=100))


async def test_samples_are_added_once(database: Database, settings: Settings) -> None:
    for _ in range(2):
        await init_db(database, settings)
    assert await count(database) == 3


async def test_no_sample_comes_back(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    async with database.write() as connection:
        [first] = await recipe.get_multi(connection, after=0, limit=1)
        await recipe.remove(connection, first.id)
    await init_db(database, settings)
    assert await count(database) == 2


async def test_no_samples_where_people_work(database: Database, settings: Settings) -> None:
    await init_db(database, settings.model_copy(update={"environment": "staging"}))
    assert await count(database) == 0


async def test_user_with_recipes_cannot_be_deleted(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    with pytest.raises(ConflictError, match="it contradicts what is stored"):
        async with database.write() as connection:
            await connection.execute(delete(User))


# {%- endfilter +%}
