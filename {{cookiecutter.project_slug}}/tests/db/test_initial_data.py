"""The data a new database starts with."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import pytest

from app.core.config import Settings
from app.crud.crud_user import user
from app.db.init_db import init_db
from app.db.session import Database
from app.schemas.user import UserCreate


@pytest.mark.parametrize("environment", ["local", "production"])
async def test_first_superuser_is_there_once(
    database: Database, settings: Settings, environment: str
) -> None:
    settings = settings.model_copy(update={"environment": environment})
    for _ in range(2):
        await init_db(database, settings)
    async with database.read() as connection:
        rows = await user.get_multi(connection, after=0, limit=10)
    assert [(row.email, row.is_superuser) for row in rows] == [("admin@example.com", True)]


async def test_nobody_gets_superuser_by_taking_the_address_first(
    database: Database, settings: Settings
) -> None:
    async with database.write() as connection:
        await user.create(connection, UserCreate(name="Eve", email="admin@example.com"))
    with pytest.raises(ValueError, match="FIRST_SUPERUSER"):
        await init_db(database, settings)


# {%- endfilter +%}
