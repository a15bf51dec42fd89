"""The data a new database starts with."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import pytest

from app.core.config import Settings
from app.crud.crud_user import user
from app.db.init_db import init_db
from app.db.session import Database


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


# {%- endfilter +%}
