"""${r.words_plural.capitalize()} in the database."""

from app.crud.base import CRUDBase
from app.kit.db.listing import Listing
from app.models.${r.name} import ${r.cls}
from app.schemas.${r.name} import ${r.cls}Create, ${r.cls}Update

${r.name} = CRUDBase[${r.cls}, ${r.cls}Create, ${r.cls}Update](${r.cls})
% if r.is_sortable:
${r.plural} = Listing(${r.name}.table)
% endif
