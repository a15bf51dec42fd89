"""Users."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
# {% if cookiecutter.auth %}
from fastapi import APIRouter, Depends

from app.api.auth import NewAccount, superuser
from app.api.deps import DatabaseDep, IdPath, PageDep
from app.crud.crud_auth import credential
from app.crud.crud_user import user
from app.kit.http.openapi import failures
from app.kit.schemas import Page
from app.schemas.user import UserRead

# Users find themselves at /auth/me; all others are the superusers' business.
router = APIRouter(
    prefix="/users",
    tags=["users"],
    responses=failures(403),
    dependencies=[Depends(superuser)],
)
# {% else %}
from fastapi import APIRouter

from app.api.deps import DatabaseDep, IdPath, PageDep
from app.crud.crud_user import user
from app.kit.http.openapi import failures
from app.kit.schemas import Page
from app.schemas.user import UserCreate, UserRead

router = APIRouter(prefix="/users", tags=["users"])
# {% endif %}


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
    """Store a user with a password; an address that is taken is a conflict."""
    async with db.transaction() as connection:
        row = await credential.create_user(connection, new.user, new.password_hash)
    return UserRead.model_validate(row)


# {%- else %}
async def create_user(db: DatabaseDep, new: UserCreate) -> UserRead:
    """Store a user; an address that is taken is a conflict."""
    async with db.transaction() as connection:
        row = await user.create(connection, new)
    return UserRead.model_validate(row)


# {%- endif +%}
# {%- endfilter +%}
