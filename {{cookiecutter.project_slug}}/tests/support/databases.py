"""The databases of the tests."""

from alembic.config import Config

from tests.support import ROOT
from tests.support.execute import Execute
# {% if cookiecutter.database == "sqlite" %}
from tests.support.sqlite import DELETE_ALL_ROWS, connect, new_database
# {% else %}
from tests.support.postgresql import DELETE_ALL_ROWS, connect, new_database
# {% endif %}

__all__ = ["ALEMBIC", "DELETE_ALL_ROWS", "Execute", "connect", "new_database"]

ALEMBIC = Config(toml_file=ROOT / "pyproject.toml")
