"""${r.words_plural.capitalize()}."""

<%
    def responses(*parts):
        given = " | ".join(part for part in parts if part)
        return f", responses={given}" if given else ""

    conflict = "failures(409)" if r.has_conflicts else ""
    tagged, tagged_new = ("with_etag(200)", "with_etag(201)") if r.is_versioned else ("", "")
    response = ", response: Response" if r.is_versioned else ""
    condition = ", if_match: IfMatchDep" if r.is_versioned else ""
    query = f"{r.cls}Query, " if r.is_sortable else ""
    change = "transaction" if r.is_versioned else "single_statement"
%>
# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await) %}
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.deps import DatabaseDep, IdPath, PageDep
# {% if cookiecutter.auth %}
from app.api.permissions import RESTRICTED, CurrentUser, check_owner
# {% endif %}
from app.crud.crud_${r.name} import ${r.name}${f", {r.plural}" if r.is_sortable else ""}
from app.kit.db.listing import ListPage
from app.kit.http.conditional import ConditionalRoute, IfMatchDep, set_etag, with_etag
from app.kit.http.openapi import failures
from app.kit.schemas import Page
from app.schemas.${r.name} import ${r.cls}Create, ${query}${r.cls}Read, ${r.cls}Update

% if r.is_versioned:
router = APIRouter(
    prefix="${r.path}", tags=["${r.words_plural}"], route_class=ConditionalRoute
)
% else:
router = APIRouter(prefix="${r.path}", tags=["${r.words_plural}"])
% endif


@router.get("/")
% if r.is_sortable:
async def list_${r.plural}(
    db: DatabaseDep, query: Annotated[${r.cls}Query, Query()]
) -> ListPage[${r.cls}Read]:
    """List ${r.words_plural} that equal the filters, in the given order."""
    async with db.read() as connection:
        page = await ${r.plural}.page(connection, query)
    return ListPage[${r.cls}Read].model_validate(page)
% else:
async def list_${r.plural}(db: DatabaseDep, page: PageDep) -> Page[${r.cls}Read]:
    """List ${r.words_plural} in the order of their ids."""
    async with db.read() as connection:
        rows = await ${r.name}.get_multi(connection, page)
    return Page[${r.cls}Read].model_validate(rows)
% endif


@router.get("/{id}"${responses("with_etag(200, 304)" if r.is_versioned else "")})
async def read_${r.name}(db: DatabaseDep, id: IdPath${response}) -> ${r.cls}Read:
    """Return one ${r.words}."""
    async with db.read() as connection:
        row = await ${r.name}.get(connection, id)
% if r.is_versioned:
    set_etag(response, row.version)
% endif
    return ${r.cls}Read.model_validate(row)


@router.post("/", status_code=201${responses(tagged_new, conflict)})
# {% if cookiecutter.auth %}
async def create_${r.name}(
    db: DatabaseDep, caller: CurrentUser, new: ${r.cls}Create${response}
) -> ${r.cls}Read:
    """Add a ${r.words}; the caller is its owner."""
    async with db.single_statement() as connection:
        row = await ${r.name}.create(connection, new, {"owner_id": caller.id})
# {% else %}
async def create_${r.name}(db: DatabaseDep, new: ${r.cls}Create${response}) -> ${r.cls}Read:
    """Add a ${r.words}."""
    async with db.single_statement() as connection:
        row = await ${r.name}.create(connection, new)
# {% endif %}
% if r.is_versioned:
    set_etag(response, row.version)
% endif
    return ${r.cls}Read.model_validate(row)


# {% if cookiecutter.auth %}
@router.put("/{id}"${responses("RESTRICTED", tagged, conflict)})
async def replace_${r.name}(
    db: DatabaseDep, caller: CurrentUser, id: IdPath${condition}, new: ${r.cls}Create${response}
) -> ${r.cls}Read:
    """Replace all fields of a ${r.words}."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
# {% else %}
@router.put("/{id}"${responses(tagged, conflict)})
async def replace_${r.name}(
    db: DatabaseDep, id: IdPath${condition}, new: ${r.cls}Create${response}
) -> ${r.cls}Read:
    """Replace all fields of a ${r.words}."""
    async with db.${change}() as connection:
# {% endif %}
% if r.is_versioned:
        await if_match.check(connection, ${r.name}.table, id)
% endif
        row = await ${r.name}.replace(connection, id, new)
% if r.is_versioned:
    set_etag(response, row.version)
% endif
    return ${r.cls}Read.model_validate(row)


# {% if cookiecutter.auth %}
@router.patch("/{id}"${responses("RESTRICTED", tagged, conflict)})
async def update_${r.name}(
    db: DatabaseDep, caller: CurrentUser, id: IdPath${condition}, changes: ${r.cls}Update${response}
) -> ${r.cls}Read:
    """Change the given fields of a ${r.words}; keep the others."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
# {% else %}
@router.patch("/{id}"${responses(tagged, conflict)})
async def update_${r.name}(
    db: DatabaseDep, id: IdPath${condition}, changes: ${r.cls}Update${response}
) -> ${r.cls}Read:
    """Change the given fields of a ${r.words}; keep the others."""
    async with db.${change}() as connection:
# {% endif %}
% if r.is_versioned:
        await if_match.check(connection, ${r.name}.table, id)
% endif
        row = await ${r.name}.update(connection, id, changes)
% if r.is_versioned:
    set_etag(response, row.version)
% endif
    return ${r.cls}Read.model_validate(row)


# 409: once another resource refers to it.
# {% if cookiecutter.auth %}
@router.delete("/{id}", status_code=204, responses=RESTRICTED | failures(409))
async def delete_${r.name}(
    db: DatabaseDep, caller: CurrentUser, id: IdPath${condition}
) -> None:
    """Delete a ${r.words}."""
    async with db.transaction() as connection:
        check_owner(caller, await ${r.name}.get(connection, id))
# {% else %}
@router.delete("/{id}", status_code=204, responses=failures(409))
async def delete_${r.name}(db: DatabaseDep, id: IdPath${condition}) -> None:
    """Delete a ${r.words}."""
    async with db.${change}() as connection:
# {% endif %}
% if r.is_versioned:
        await if_match.check(connection, ${r.name}.table, id)
% endif
        await ${r.name}.remove(connection, id)


# {%- endfilter +%}
