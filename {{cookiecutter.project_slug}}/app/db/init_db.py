"""The data a new database starts with."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from app.core.config import Settings
from app.crud.crud_user import user
from app.db.engine import AsyncConnection
# {% if cookiecutter.auth %}
from app.db.first_password import add_first_password, hash_first_password
# {% endif %}
from app.db.sample_recipes import add_sample_recipes  # example
from app.db.session import Database
from app.schemas.user import UserCreate


async def init_db(database: Database, settings: Settings) -> None:
    """Add what is missing, in one transaction; a second run changes nothing.

    Raise ``ValueError`` if somebody else already has the first superuser's address: whoever could
    take an address first must not become superuser by it.
    """
    # {% if cookiecutter.auth %}
    password_hash = hash_first_password(settings)  # takes longer than a transaction should
    # {% endif %}
    async with database.write() as connection:
        await _ensure_superuser(connection, settings.first_superuser)
        # {% if cookiecutter.auth %}
        await add_first_password(connection, settings, password_hash)
        # {% endif %}
        await add_sample_recipes(connection, settings)  # example


async def _ensure_superuser(connection: AsyncConnection, email: str) -> None:
    found = await user.get_by_email(connection, email)
    if found is None:
        new = UserCreate(name="Superuser", email=email)
        await user.create(connection, new, {"is_superuser": True})
    elif not found.is_superuser:
        raise ValueError("FIRST_SUPERUSER is the address of a user who is no superuser")


# {%- endfilter +%}
