"""${r.words_plural.capitalize()} of the tests, as clients send them."""

import datetime as dt
from itertools import count
from uuid import UUID

from fastapi.testclient import TestClient

% for statement in r.imports_of_tests:
${statement}
% endfor

${r.constant_plural} = "/api/v1${r.path}/"
% if r.needs_number:
NUMBERS = count(1)
% endif
# Other values than those of a new ${r.words}.
${r.constant}_CHANGES: dict[str, object] = {
% for field in r.plain_fields:
    "${field.name}": ${field.kind.values[1]},
% endfor
}


def ${r.name}_to_send(${"client" if r.references else "_"}: TestClient) -> dict[str, object]:
    """Return a ${r.words} that is like no other, and refers to records that exist."""
% if r.needs_number:
    number = next(NUMBERS)
% endif
    return {
% for field in r.fields:
% if field.target == r.name:
        "${field.name}": None,
% elif field.target == "user":
        "${field.name}": add_user(client, email=f"${field.name}{number}@example.com")["id"],
% elif field.target:
        "${field.name}": add_${field.target}(client)["id"],
% elif field.is_unique:
        "${field.name}": ${field.kind.unique},
% else:
        "${field.name}": ${field.kind.values[0]},
% endif
% endfor
    }


def add_${r.name}(client: TestClient, **changes: object) -> dict[str, object]:
    """Return a new ${r.words}."""
    response = client.post(${r.constant_plural}, json=${r.name}_to_send(client) | changes)
    assert response.status_code == 201, response.text
    return response.json()
