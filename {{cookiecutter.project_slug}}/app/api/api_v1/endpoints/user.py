"""Users."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter

# {% if cookiecutter.auth %}
from app.api.credentials import NewAccount
# {% endif %}
from app.api.deps import DatabaseDep, IdPath, PageDep
from app.api.permissions import RESTRICTED, SUPERUSERS_ONLY
# {% if cookiecutter.auth %}
from app.crud.crud_credential import credential
# {% endif %}
from app.crud.crud_user import user
from app.kit.http.openapi import failures
from app.kit.schemas import Page
# {% if cookiecutter.auth %}
from app.schemas.user import UserRead
# {% else %}
from app.schemas.user import UserCreate, UserRead
# {% endif %}

router = APIRouter(
    prefix="/users", tags=["users"], dependencies=SUPERUSERS_ONLY, responses=RESTRICTED
)


@router.get("/")
async def list_users(db: DatabaseDep, page: PageDep) -> Page[UserRead]:
    """List users in the order of their ids."""
    async with db.read() as connection:
        rows = await user.get_multi(connection, page)
    return Page[UserRead].model_validate(rows)


@router.get("/{id}")
async def read_user(db: DatabaseDep, id: IdPath) -> UserRead:
    """Return one user."""
    async with db.read() as connection:
        row = await user.get(connection, id)
    return UserRead.model_validate(row)


@router.post("/", status_code=201, responses=failures(409))
# {% if cookiecutter.auth %}
async def create_user(db: DatabaseDep, new: NewAccount) -> UserRead:
    """Create a user with a password; the e-mail address must be unique."""
    async with db.transaction() as connection:
        row = await credential.create_user(connection, new.user, new.password_hash)
    return UserRead.model_validate(row)


# {%- else %}
async def create_user(db: DatabaseDep, new: UserCreate) -> UserRead:
    """Create a user; the e-mail address must be unique."""
    async with db.single_statement() as connection:
        row = await user.create(connection, new)
    return UserRead.model_validate(row)


# {%- endif +%}
# {%- endfilter +%}
