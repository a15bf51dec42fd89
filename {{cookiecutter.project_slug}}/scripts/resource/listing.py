"""Where a resource is in the service: its files, and the files that list it."""

from scripts.resource import lines
from scripts.resource.resource import Resource

ENDPOINTS = "app/api/api_v1/endpoints"
# {% if cookiecutter.auth %}
OPEN_ROUTES = ["tests/auth/test_permissions.py"]
# {% else %}
OPEN_ROUTES: list[str] = []
# {% endif %}


def new_files(resource: Resource) -> dict[str, str]:
    """Return the paths of the new files, and their templates."""
    name = resource.name
    files = {
        f"app/core/{name}.py": "values" if resource.enums else "",
        f"app/models/{name}.py": "model",
        f"app/schemas/{name}.py": "schemas",
        f"app/crud/crud_{name}.py": "crud",
        f"{ENDPOINTS}/{name}.py": "endpoints",
        f"app/db/sample_{resource.plural}.py": "samples" if resource.samples else "",
        f"tests/support/{resource.plural}.py": "support",
        f"tests/test_{resource.plural}.py": "tests",
    }
    return {path: template for path, template in files.items() if template}


def listing_files(resource: Resource) -> list[str]:
    """Return the paths of the files that list the resource."""
    paths = ["app/db/base.py", "app/api/api_v1/api.py", *OPEN_ROUTES]
    return [*paths, "app/db/init_db.py"] if resource.samples else paths


def list_resource(resource: Resource, path: str, text: str) -> str:
    """Return the text of a file with the lines of the resource."""
    name, plural, model = resource.name, resource.plural, resource.cls
    match path:
        case "app/db/base.py":
            text = lines.insert_import(text, f"from app.models.{name} import {model}")
            return lines.insert_item(text, "__all__ = [", f'    "{model}",')
        case "app/api/api_v1/api.py":
            opening = "from app.api.api_v1.endpoints import ("
            text = lines.insert_item(text, opening, f"    {name},")
            return lines.append_items(text, "ROUTERS = [", [f"    {name}.router,"])
        case "app/db/init_db.py":
            call = f"add_sample_{plural}"
            text = lines.insert_import(text, f"from app.db.sample_{plural} import {call}")
            call = "{{ cookiecutter.__await }}" + call
            return lines.append_call(text, "init_db", f"{call}(connection, settings)")
        case _:
            path = f"/api/v1{resource.path}/"
            routes = [f'    "GET {path}",', f'    "GET {path}' + '{id}",']
            return lines.append_items(text, "OPEN = {", routes)
