"""Sample ${r.words_plural} for development."""

# {% filter replace("async ", cookiecutter.__async)|replace("await ", cookiecutter.__await)|replace("Async", cookiecutter.__Async) %}
from sqlalchemy import insert

from app.core.config import Settings
from app.crud.crud_${r.name} import ${r.name}
% for name in r.sample_targets:
from app.crud.crud_${name} import ${name}
% endfor
from app.kit.db.engine import AsyncConnection
from app.kit.schemas import PageQuery
from app.models.${r.name} import ${r.cls}
from app.schemas.${r.name} import ${r.cls}Create

SAMPLES: tuple[dict[str, object], ...] = (
% for sample in r.samples:
    ${sample},
% endfor
)


async def add_sample_${r.plural}(connection: AsyncConnection, settings: Settings) -> None:
    """Add the samples, unless the database has ${r.words_plural}."""
    if settings.environment != "local":
        return
    present = await ${r.name}.get_multi(connection, PageQuery(limit=1))
    if present["items"]:
        return
% for name in r.sample_targets:
    some_${name} = await ${name}.get_multi(connection, PageQuery(limit=1))
% endfor
% if r.sample_targets:
    if ${" or ".join(f'not some_{name}["items"]' for name in r.sample_targets)}:
        return
% endif
    for sample in SAMPLES:
        new = ${r.cls}Create.model_validate(${r.sample_body})
# {% if cookiecutter.auth %}
        values = new.model_dump() | {"owner_id": some_user["items"][0]["id"]}
        await connection.execute(insert(${r.cls}), values)
# {% else %}
        await connection.execute(insert(${r.cls}), new.model_dump())
# {% endif %}


# {%- endfilter +%}
