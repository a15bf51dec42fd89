"""What is stored of logins."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.database == "postgresql" %}
import pytest
# {% endif %}
from sqlalchemy import delete, select
# {% if cookiecutter.database == "postgresql" %}
from sqlalchemy.exc import DBAPIError
# {% endif %}

from app.core.tokens import Pair, Tokens
# {% if cookiecutter.database == "postgresql" %}
from app.crud.crud_auth import credential, login
# {% else %}
from app.crud.crud_auth import login
# {% endif %}
from app.crud.crud_user import user
from app.db.base import Login, User
from app.db.session import Database
from app.schemas.user import UserCreate
from tests.auth.accounts import SETTINGS

TOKENS = Tokens(SETTINGS)


async def open_login(database: Database, user_id: int) -> Pair:
    pair = TOKENS.issue(user_id)
    async with database.write() as connection:
        await login.open(connection, pair.claims)
    return pair


async def add_user(database: Database) -> int:
    async with database.write() as connection:
        row = await user.create(connection, UserCreate(name="Ada", email="ada@example.com"))
    return row.id


async def test_tokens_themselves_are_not_stored(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    async with database.read() as connection:
        result = await connection.execute(select(Login))
    (row,) = result.all()
    assert row.token_digest == pair.claims.digest
    assert pair.claims.jti not in map(str, row)
    assert pair.refresh_token not in map(str, row)


async def test_expired_logins_are_forgotten_with_the_next(database: Database) -> None:
    user_id = await add_user(database)
    expired = Tokens(SETTINGS.model_copy(update={"refresh_token_seconds": -1})).issue(user_id)
    async with database.write() as connection:
        await login.open(connection, expired.claims)
    pair = await open_login(database, user_id)
    async with database.read() as connection:
        result = await connection.scalars(select(Login.sid))
    assert result.all() == [pair.claims.sid]


async def test_renewing_does_not_make_a_login_longer(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    assert TOKENS.renew(pair.claims).claims.exp == pair.claims.exp


# {% if cookiecutter.database == "postgresql" %}
async def test_deletion_of_a_user_waits_for_a_change_of_their_password(database: Database) -> None:
    """Or it would hold the user, and wait for the password, of whom the change wants a login."""
    async with database.write() as connection:
        new = UserCreate(name="Ada", email="ada@example.com")
        row = await credential.create_user(connection, new, "old")
    async with database.write() as connection:
        assert await credential.change(connection, row.id, "old", "new")
        async with database._engine.connect() as deleting:
            with pytest.raises(DBAPIError, match="could not obtain lock"):
                await deleting.execute(select(User.id).with_for_update(nowait=True))


# {% endif %}
async def test_deleted_user_is_out_at_once(database: Database) -> None:
    pair = await open_login(database, await add_user(database))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is not None
    async with database.write() as connection:
        await connection.execute(delete(User))
    async with database.read() as connection:
        assert await login.get_user(connection, pair.claims) is None
    async with database.write() as connection:
        assert not await login.renew(connection, pair.claims, pair.claims)


# {%- endfilter +%}
