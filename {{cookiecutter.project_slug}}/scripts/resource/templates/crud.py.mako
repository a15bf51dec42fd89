"""${r.words_plural.capitalize()} in the database."""

from app.crud.base import CRUDBase
from app.models.${r.name} import ${r.cls}
from app.schemas.${r.name} import ${r.cls}Create, ${r.cls}Update

${r.name} = CRUDBase[${r.cls}, ${r.cls}Create, ${r.cls}Update](${r.cls})
