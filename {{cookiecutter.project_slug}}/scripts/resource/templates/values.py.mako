"""Values of ${r.words_plural} that models and schemas share."""

import enum
% for field in r.fields:
% if field.choices:


class ${field.kind.python}(enum.StrEnum):
    """Values of ``${field.name}``; docs/schema.md says what a new one needs."""

% for choice in field.choices:
    ${choice.upper()} = "${choice}"
% endfor
% endif
% endfor
