"""The module about the database that this service uses."""

# {% if cookiecutter.database == "sqlite" %}
from app.kit.db import sqlite as dialect
# {% else %}
from app.kit.db import postgresql as dialect
# {% endif %}

__all__ = ["dialect"]
