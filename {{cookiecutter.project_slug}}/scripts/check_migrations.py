"""Check the migrations on a new database: ``python -m scripts.check_migrations``.

All revisions are applied, their result is compared with the models, they are undone, and applied
again. The database of ``DATABASE_URL`` is not used.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
# {% if cookiecutter.database == "sqlite" %}
from tempfile import TemporaryDirectory
# {% endif %}

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

# {% if cookiecutter.database == "postgresql" %}
from scripts.local_database import temporary_server

# {% endif %}
ROOT = Path(__file__).parents[1]


# {% if cookiecutter.database == "postgresql" %}
@contextmanager
def new_database() -> Generator[str]:
    """Yield the URL of an empty database on a server of its own; delete both at the end."""
    with temporary_server() as server:
        yield server.get_uri()


# {% else %}
@contextmanager
def new_database() -> Generator[str]:
    """Yield the URL of an empty database; delete it at the end."""
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/new.db"


# {% endif %}
def main() -> None:
    """Migrate up, compare, down and up; exit with one sentence if a step fails."""
    config = Config(toml_file=ROOT / "pyproject.toml")
    with new_database() as url:
        os.environ["DATABASE_URL"] = url
        try:
            command.upgrade(config, "heads")
            command.check(config)
            command.downgrade(config, "base")
            command.upgrade(config, "heads")
        except (CommandError, DBAPIError) as error:
            sentence, *_ = str(error).splitlines()
            sys.exit(f"The migrations do not fit: {sentence}")


if __name__ == "__main__":
    main()
