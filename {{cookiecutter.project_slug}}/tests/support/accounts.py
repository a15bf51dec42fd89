"""Users of the tests, and how they log in."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from functools import partial

from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Secret, SecretStr

from app.crud.crud_auth import login
from app.crud.crud_user import user
from app.db.session import Database
from app.kit.auth import security
from app.kit.auth.security import Tokens
from app.kit.auth.settings import AuthSettings
from app.schemas.user import UserCreate

AUTH = "/api/v1/auth"
PASSWORD = "correct horse"  # noqa: S105 (of nobody)
KEY = "0123456789abcdef" * 4
# With the defaults, whatever a developer has in .env: this is imported before that is out of reach.
SETTINGS = AuthSettings.model_construct(
    secret_key=SecretStr(KEY),
    first_superuser_password=Secret(PASSWORD),
)
# All that the database knows of a superuser who is logged in, kept aside on one connection.
KEEP = """
CREATE TEMP TABLE root AS SELECT * FROM "user"; CREATE TEMP TABLE root_login AS SELECT * FROM login
"""
PUT_BACK = 'INSERT INTO "user" SELECT * FROM root; INSERT INTO login SELECT * FROM root_login'
REAL = security.hasher
QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


def caller(client: TestClient, email: str, *, is_superuser: bool = False) -> dict[str, str]:
    """Return the header of a new user, who has no password but is logged in."""
    assert client.portal
    add = partial(add_caller, email=email, is_superuser=is_superuser)
    return client.portal.call(add, client.app_state["database"], client.app_state["tokens"])


async def add_caller(
    database: Database, tokens: Tokens, *, email: str, is_superuser: bool
) -> dict[str, str]:
    """Add a user who is logged in, and return their header."""
    async with database.transaction() as connection:
        new = UserCreate(name="Somebody", email=email)
        row = await user.create(connection, new, {"is_superuser": is_superuser})
        pair = tokens.issue(row.id)
        await login.open(connection, pair.claims)
    return bearer(pair.access_token)


# {% endfilter %}
def sign_up(client: TestClient, email: str) -> int:
    """Return the id of a new user whose password is ``PASSWORD``."""
    new = {"name": "Somebody", "email": email, "password": PASSWORD}
    response = client.post(f"{AUTH}/signup", json=new)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def log_in(client: TestClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    """Return the tokens of a user."""
    response = client.post(f"{AUTH}/login", data={"username": email, "password": password})
    assert response.status_code == 200, response.text
    return response.json()


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries an access token."""
    return {"Authorization": f"Bearer {token}"}
