"""Errors of a service reach a tracker as its README says, without anything personal."""

import gzip
import json
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

from tests.combinations import DEFAULTS
from tests.programs import environment, run
from tests.releases import edit
from tests.resilience.service import StartCommand, running
from tests.trees import tree

SECONDS = 30
# Part of everything that the request sends, and of what the error says.
PRIVATE = "lovelace"
FAULT = """
    async def fault(request: Request) -> None:
        mail = request.query_params["mail"]
        raise RuntimeError(f"no account of {mail}")

    app.add_api_route("/fault", fault, methods=["POST"])
    return app
"""
HEADERS = {
    "Authorization": f"Bearer {PRIVATE}",
    "Cookie": f"session={PRIVATE}",
    "Referer": f"http://{PRIVATE}/",
}


def test_errors_reach_the_tracker_without_personal_data(tmp_path: Path) -> None:
    folder = shutil.copytree(tree(DEFAULTS), tmp_path / "service")
    _follow_readme(folder)
    edit(folder / "app/main.py", "\n    return app\n", FAULT)
    edit(folder / "app/main.py", "import FastAPI\n", "import FastAPI, Request\n")
    path = os.pathsep.join([str(folder / ".venv/bin"), os.environ["PATH"]])
    with _tracker() as (dsn, events):
        command = StartCommand(folder, environment(PATH=path, SENTRY_DSN=dsn, no_proxy="127.0.0.1"))
        with (
            running(command, f"sqlite:///{tmp_path}/errors.db") as service,
            service.client() as client,
        ):
            query = {"mail": f"{PRIVATE}@example.com"}
            answer = client.post("/fault", params=query, json={"name": PRIVATE}, headers=HEADERS)
            assert answer.status_code == 500
            event = events.get(timeout=SECONDS)
    (error,) = json.loads(event)["exception"]["values"]
    assert error["type"] == "RuntimeError"
    assert error["stacktrace"]["frames"][-1]["function"] == "fault"
    assert PRIVATE not in event.lower()


def _follow_readme(folder: Path) -> None:
    """Do what the section says: add the package, write the module, call its function."""
    readme = (folder / "README.md").read_text("utf-8")
    section = readme.split("## Track errors\n")[1].split("\n## ")[0]
    (command,) = re.findall(r"`(uv add .*?)`", section)
    (module,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    run(*command.split(), cwd=folder)
    (folder / "app/core/error_tracking.py").write_text(module, "utf-8")
    line = "from app.core.error_tracking import track_errors\n"
    edit(folder / "app/main.py", "from app.db.session", f"{line}from app.db.session")
    start = "    settings = settings or load_settings()\n"
    edit(folder / "app/main.py", start, f"    track_errors()\n{start}")
    for check in (["ruff", "check"], ["ruff", "format", "--check"], ["ty", "check"]):
        run("uv", "run", *check, "app", cwd=folder)


@contextmanager
def _tracker() -> Generator[tuple[str, Queue[str]]]:
    """Receive events as Sentry does; yield the DSN, and each event as it was sent."""
    events: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            _, header, event, *_ = body.decode().splitlines()
            if json.loads(header)["type"] == "event":
                events.put(event)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://key@127.0.0.1:{server.server_port}/1", events
        finally:
            server.shutdown()
