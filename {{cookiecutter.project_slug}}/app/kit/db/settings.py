"""Settings of the database."""

from pydantic import PositiveInt
# {% if cookiecutter.database == "sqlite" %}
from sqlalchemy import make_url
# {% endif %}

from app.kit.db.url import DatabaseUrl
from app.kit.settings import BaseAppSettings, Seconds


class DatabaseSettings(BaseAppSettings):
    """The address of the database, the size of the pool, and timeouts."""

    # {% if cookiecutter.database == "sqlite" %}
    database_url: DatabaseUrl = make_url("sqlite:///./app.db")
    # {% else %}
    database_url: DatabaseUrl
    # {% endif %}
    database_pool_size: PositiveInt = 20
    database_wait_seconds: Seconds = 5
    database_held_seconds: Seconds = 30
    # {% if cookiecutter.database == "postgresql" %}
    database_connect_seconds: Seconds = 5
    database_statement_seconds: Seconds = 10
    migration_lock_seconds: Seconds = 3
    # {% endif %}
    database_start_seconds: Seconds = 60
