"""Users of the tests, and how they log in."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from functools import partial

from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Secret, SecretStr

from app.core.about import ABOUT
from app.crud.crud_session import session
from app.crud.crud_user import user
from app.db.session import Database
from app.kit.auth import passwords
from app.kit.auth.settings import AuthSettings
from app.kit.auth.tokens import Tokens
from app.schemas.user import UserCreate

AUTH = "/api/v1/auth"
PASSWORD = "correct horse"  # noqa: S105 (of nobody)
KEY = "0123456789abcdef" * 4
# With the defaults, whatever a developer has in .env: this is imported before that is out of reach.
SETTINGS = AuthSettings.model_construct(
    secret_key=SecretStr(KEY),
    first_superuser_password=Secret(PASSWORD),
)
TOKENS = Tokens(SETTINGS, issuer=ABOUT.title)
# All that the database knows of a superuser who is logged in, kept aside on one connection.
KEEP = """
CREATE TEMP TABLE root AS SELECT * FROM "user";
CREATE TEMP TABLE root_session AS SELECT * FROM session
"""
PUT_BACK = 'INSERT INTO "user" SELECT * FROM root; INSERT INTO session SELECT * FROM root_session'
REAL = passwords.hasher
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
        issued = tokens.issue(row.id)
        await session.open(connection, issued.claims)
    return bearer(issued.access_token)


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


def refresh(client: TestClient, token: str) -> tuple[int, dict[str, str]]:
    """Return the status and the body of an exchange of a refresh token."""
    response = client.post(f"{AUTH}/refresh", json={"refresh_token": token})
    return response.status_code, response.json()


def get_me(client: TestClient, token: str) -> int:
    """Return the status of a request with an access token."""
    response = client.get(f"{AUTH}/me", headers=bearer(token))
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["content-type"] == "application/problem+json"
    return response.status_code
