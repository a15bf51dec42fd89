"""Loaded into a service's own pytest: leaves the OpenAPI document's digest in ``$DIGEST_FILE``."""

import hashlib
import json
import os
from contextlib import chdir
from importlib import import_module
from pathlib import Path


def pytest_sessionfinish() -> None:
    with chdir("tests"):  # where the developer's .env is out of reach
        app = import_module("app.main").create_app()
    document = json.dumps(app.openapi(), sort_keys=True)
    Path(os.environ["DIGEST_FILE"]).write_text(hashlib.sha256(document.encode()).hexdigest())
