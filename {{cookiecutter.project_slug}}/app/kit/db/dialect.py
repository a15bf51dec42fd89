"""The module for the database of this service."""

# {% if cookiecutter.database == "sqlite" %}
from app.kit.db import sqlite as dialect
# {% else %}
from app.kit.db import postgresql as dialect
# {% endif %}

__all__ = ["dialect"]
