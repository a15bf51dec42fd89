"""${r.words_plural.capitalize()}."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from fastapi import APIRouter

from app.api.deps import DatabaseDep, IdPath, PageDep
# {% if cookiecutter.auth %}
from app.api.permissions import RESTRICTED, CurrentUser, check_owner
# {% endif %}
from app.crud.crud_${r.name} import ${r.name}
from app.kit.http.openapi import failures
from app.kit.schemas import Page
from app.schemas.${r.name} import ${r.cls}Create, ${r.cls}Read, ${r.cls}Update

router = APIRouter(prefix="${r.path}", tags=["${r.words_plural}"])


@router.get("/")
async def list_${r.plural}(db: DatabaseDep, page: PageDep) -> Page[${r.cls}Read]:
    """List ${r.words_plural} in the order of their ids."""
    async with db.read() as connection:
        rows = await ${r.name}.get_multi(connection, page)
    return Page[${r.cls}Read].model_validate(rows)


@router.get("/{id}")
async def read_${r.name}(db: DatabaseDep, id: IdPath) -> ${r.cls}Read:
    """Return one ${r.words}."""
    async with db.read() as connection:
        row = await ${r.name}.get(connection, id)
    return ${r.cls}Read.model_validate(row)


@router.post("/", status_code=201${", responses=failures(409)" if r.has_conflicts else ""})
# {% if cookiecutter.auth %}
async def create_${r.name}(
    db: DatabaseDep, caller: CurrentUser, new: ${r.cls}Create
) -> ${r.cls}Read:
    """Add a ${r.words}; the caller is its owner."""
    async with db.single_statement() as connection:
        row = await ${r.name}.create(connection, new, {"owner_id": caller.id})
    return ${r.cls}Read.model_validate(row)
# {% else %}
async def create_${r.name}(db: DatabaseDep, new: ${r.cls}Create) -> ${r.cls}Read:
    """Add a ${r.words}."""
    async with db.single_statement() as connection:
        row = await ${r.name}.create(connection, new)
    return ${r.cls}Read.model_validate(row)
# {% endif %}


# {% if cookiecutter.auth %}
@router.put("/{id}", responses=RESTRICTED${" | failures(409)" if r.has_conflicts else ""})
async def replace_${r.name}(
    db: DatabaseDep, caller: CurrentUser, id: IdPath, new: ${r.cls}Create
) -> ${r.cls}Read:
    """Replace all fields of a ${r.words}."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
        row = await ${r.name}.replace(connection, id, new)
    return ${r.cls}Read.model_validate(row)
# {% else %}
@router.put("/{id}"${", responses=failures(409)" if r.has_conflicts else ""})
async def replace_${r.name}(db: DatabaseDep, id: IdPath, new: ${r.cls}Create) -> ${r.cls}Read:
    """Replace all fields of a ${r.words}."""
    async with db.single_statement() as connection:
        row = await ${r.name}.replace(connection, id, new)
    return ${r.cls}Read.model_validate(row)
# {% endif %}


# {% if cookiecutter.auth %}
@router.patch("/{id}", responses=RESTRICTED${" | failures(409)" if r.has_conflicts else ""})
async def update_${r.name}(
    db: DatabaseDep, caller: CurrentUser, id: IdPath, changes: ${r.cls}Update
) -> ${r.cls}Read:
    """Change the given fields of a ${r.words}; keep the others."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
        row = await ${r.name}.update(connection, id, changes)
    return ${r.cls}Read.model_validate(row)
# {% else %}
@router.patch("/{id}"${", responses=failures(409)" if r.has_conflicts else ""})
async def update_${r.name}(db: DatabaseDep, id: IdPath, changes: ${r.cls}Update) -> ${r.cls}Read:
    """Change the given fields of a ${r.words}; keep the others."""
    async with db.single_statement() as connection:
        row = await ${r.name}.update(connection, id, changes)
    return ${r.cls}Read.model_validate(row)
# {% endif %}


# {% if cookiecutter.auth %}
# 409: once another resource refers to it.
@router.delete("/{id}", status_code=204, responses=RESTRICTED | failures(409))
async def delete_${r.name}(db: DatabaseDep, caller: CurrentUser, id: IdPath) -> None:
    """Delete a ${r.words}."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
        await ${r.name}.remove(connection, id)
# {% else %}
# 409: once another resource refers to it.
@router.delete("/{id}", status_code=204, responses=failures(409))
async def delete_${r.name}(db: DatabaseDep, id: IdPath) -> None:
    """Delete a ${r.words}."""
    async with db.single_statement() as connection:
        await ${r.name}.remove(connection, id)
# {% endif %}


# {%- endfilter +%}
