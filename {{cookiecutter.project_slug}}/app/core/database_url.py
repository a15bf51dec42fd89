"""The address of the database, as hosting providers hand it out."""

from typing import Annotated

from pydantic import PlainValidator
from pydantic_settings import NoDecode
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

BACKEND = "{{ cookiecutter.database }}"
DRIVER = "{{ cookiecutter.__driver }}"


def name_driver(value: str | URL) -> URL:
    """Return the URL with the driver that is installed here; raise ``ValueError``."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(f"must be a URL such as {BACKEND}://...") from None
    name, _, driver = url.drivername.partition("+")
    backend = {"postgres": "postgresql"}.get(name, name)
    if backend != BACKEND:
        raise ValueError(f"this service was made for {BACKEND}, not for {backend}")
    if driver not in {"", DRIVER}:
        raise ValueError(f"leave the driver out: this service comes with {DRIVER}, not {driver}")
    # {% if cookiecutter.database == "sqlite" %}
    if url.database in {None, "", ":memory:"}:
        raise ValueError("must name a file, for example sqlite:///./app.db")
    # {% endif %}
    # {% if cookiecutter.__driver == "asyncpg" %}
    url = _spell_for_asyncpg(url)
    # {% endif %}
    return url.set(drivername=f"{backend}+{DRIVER}")


# {% if cookiecutter.__driver == "asyncpg" %}
def _spell_for_asyncpg(url: URL) -> URL:
    """Translate libpq's TLS parameters: asyncpg takes ``ssl`` and knows no channel binding."""
    mode = url.query.get("sslmode")
    url = url.difference_update_query(["sslmode", "channel_binding"])
    return url if mode is None else url.update_query_dict({"ssl": mode})


# {% endif %}
# SQLAlchemy's URL is a named tuple, which the settings would otherwise read as JSON.
DatabaseUrl = Annotated[URL, NoDecode, PlainValidator(name_driver)]
