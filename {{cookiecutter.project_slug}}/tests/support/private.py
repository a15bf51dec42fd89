"""Requests that are full of personal data, none of which may be logged."""

from typing import Any

from tests.support.users import USERS

# Part of every name, address, password and token that is sent.
PRIVATE = "lovelace"
# {% if cookiecutter.auth %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com", "password": f"{PRIVATE}1815"}
# {% else %}
ADA = {"name": PRIVATE, "email": f"{PRIVATE}@example.com"}
# {% endif %}
PRIVATE_REQUESTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", USERS, {"json": ADA}, 201),
    ("POST", USERS, {"json": ADA}, 409),
    ("POST", USERS, {"json": {"email": PRIVATE}}, 422),
    ("POST", USERS, {"content": f'["{PRIVATE}'}, 422),
    ("GET", f"{USERS}{PRIVATE}", {}, 422),
    ("GET", f"/{PRIVATE}?email={PRIVATE}", {}, 404),
    ("GET", f"/fault?email={PRIVATE}", {"headers": {"Cookie": PRIVATE, "Referer": PRIVATE}}, 500),
    # {% if cookiecutter.auth %}
    ("GET", USERS, {"headers": {"Authorization": f"Bearer {PRIVATE}"}}, 401),
    ("POST", "/api/v1/auth/login", {"data": {"username": PRIVATE, "password": PRIVATE}}, 401),
    ("POST", "/api/v1/auth/refresh", {"json": {"refresh_token": PRIVATE}}, 401),
    # {% endif %}
]
