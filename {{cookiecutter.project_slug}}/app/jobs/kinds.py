"""The kinds of jobs there are."""

from app.core.errors import ConflictError
from app.jobs.photos import PHOTO  # example
from app.jobs.primes import PRIMES
from app.jobs.run import Kind

KINDS = {
    kind.name: kind
    for kind in (
        PHOTO,  # example
        PRIMES,
    )
}


def find_kind(name: str) -> Kind:
    """Return the kind of a stored job; raise ``ConflictError`` if this release has none such."""
    try:
        return KINDS[name]
    except KeyError:
        raise ConflictError(f"nobody here knows jobs of the kind {name}") from None
