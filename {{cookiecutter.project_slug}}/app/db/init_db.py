"""The initial data of a new database."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
# {% if cookiecutter.auth %}
import logging

from app.core.config import Settings
from app.crud.crud_credential import credential
# {% else %}
from app.core.config import Settings
# {% endif %}
from app.crud.crud_user import user
from app.db.sample_recipes import add_sample_recipes  # example
# {% if cookiecutter.auth %}
from app.kit.auth import passwords
# {% endif %}
from app.kit.db.database import Database
from app.kit.db.engine import AsyncConnection
from app.schemas.user import UserCreate
# {% if cookiecutter.auth %}

logger = logging.getLogger(__name__)
# {% endif %}


async def init_db(database: Database, settings: Settings) -> None:
    """Add missing data in one transaction; a second run changes nothing.

    Raise ``ValueError`` if the first superuser's address belongs to a user without that role:
    signing up with an address must not grant it.
    """
    # {% if cookiecutter.auth %}
    password_hash = _hash_first_password(settings)  # takes longer than a transaction should
    # {% endif %}
    async with database.transaction() as connection:
        await _ensure_superuser(connection, settings.first_superuser)
        # {% if cookiecutter.auth %}
        await _add_first_password(connection, settings, password_hash)
        # {% endif %}
        await add_sample_recipes(connection, settings)  # example


async def _ensure_superuser(connection: AsyncConnection, email: str) -> None:
    found = await user.get_by_email(connection, email)
    if found is None:
        new = UserCreate(name="Superuser", email=email)
        await user.create(connection, new, {"is_superuser": True})
    elif not found.is_superuser:
        raise ValueError("FIRST_SUPERUSER is the address of a user who is no superuser")
# {% if cookiecutter.auth %}


def _hash_first_password(settings: Settings) -> str | None:
    """Hash ``FIRST_SUPERUSER_PASSWORD``, if it is set."""
    password = settings.first_superuser_password
    return None if password is None else passwords.hasher.hash(password.get_secret_value())


async def _add_first_password(
    connection: AsyncConnection,
    settings: Settings,
    password_hash: str | None,
) -> None:
    """Store the first superuser's password, unless the database has one, which may be newer.

    Raise ``ValueError`` if no password is set, except in ``local``.
    """
    owner = await credential.get_by_email(connection, settings.first_superuser)
    if owner is None or owner.password_hash is not None:
        return
    if password_hash is not None:
        await credential.create(connection, owner.id, password_hash)
    elif settings.environment == "local":
        logger.warning(
            "%s cannot log in: FIRST_SUPERUSER_PASSWORD is not set; python -m app.setup writes one "
            "to .env, then run this again",
            settings.first_superuser,
        )
    else:
        raise ValueError(f"FIRST_SUPERUSER_PASSWORD must be set in {settings.environment}")
# {% endif %}
# {% endfilter %}
