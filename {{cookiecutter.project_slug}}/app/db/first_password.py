"""The password of the first superuser."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
import logging

from app.core import security
from app.core.config import Settings
from app.crud.crud_auth import credential
from app.db.engine import AsyncConnection

logger = logging.getLogger(__name__)


def hash_first_password(settings: Settings) -> str | None:
    """Hash ``FIRST_SUPERUSER_PASSWORD``, if it is set."""
    password = settings.auth.first_superuser_password
    return None if password is None else security.hasher.hash(password.get_secret_value())


async def add_first_password(
    connection: AsyncConnection,
    settings: Settings,
    password_hash: str | None,
) -> None:
    """Give it to the first superuser, unless they have one, which may have been changed since.

    Raise ``ValueError`` if there is none to give, except on a developer's machine.
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


# {%- endfilter +%}
