"""The password of the first superuser."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
import pytest
from pydantic import Secret

from app.core.auth import AuthSettings
from app.core.config import Settings
from app.crud.crud_auth import credential
from app.db.init_db import init_db
from app.db.session import Database
from tests.auth.accounts import PASSWORD, QUICK

OTHER = AuthSettings.model_construct(first_superuser_password=Secret("another horse"))
NONE = AuthSettings.model_construct()


async def opens(database: Database, password: str) -> bool:
    """Tell whether the first superuser can log in with it."""
    async with database.read() as connection:
        row = await credential.get_by_email(connection, "admin@example.com")
    return row is not None and row.password_hash and QUICK.verify(password, row.password_hash)


async def test_password_is_given_once(database: Database, settings: Settings) -> None:
    await init_db(database, settings)
    assert await opens(database, PASSWORD)
    for later in (OTHER, NONE):
        await init_db(database, settings.model_copy(update={"auth": later}))
        assert await opens(database, PASSWORD)


async def test_developer_may_add_it_later(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await init_db(database, settings.model_copy(update={"auth": NONE}))
    assert "admin@example.com cannot log in" in caplog.text
    await init_db(database, settings)
    assert await opens(database, PASSWORD)


async def test_elsewhere_it_is_required(database: Database, settings: Settings) -> None:
    changes = {"environment": "production", "auth": NONE}
    with pytest.raises(ValueError, match="FIRST_SUPERUSER_PASSWORD must be set in production"):
        await init_db(database, settings.model_copy(update=changes))


# {%- endfilter +%}
