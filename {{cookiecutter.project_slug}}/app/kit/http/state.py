"""The state that the lifespan yielded, for dependencies and middleware."""

from typing import Any

from starlette.types import Scope

NOT_STARTED = (
    "the service was not started, so it has no database: use `with TestClient(app)`, or enter "
    "`app.router.lifespan_context(app)` and pass on its state (README, Test it)"
)


def lifespan_state(scope: Scope) -> dict[str, Any]:
    """Return the state that the lifespan yielded; raise ``RuntimeError`` if it did not run.

    Servers and ``with TestClient(app)`` run it; ``httpx2.ASGITransport`` does not.
    """
    if not (state := scope.get("state")):
        raise RuntimeError(NOT_STARTED)
    return state
