"""The kinds of jobs there are."""

from app.jobs.photos import PHOTO  # example
from app.jobs.primes import PRIMES

KINDS = {
    kind.name: kind
    for kind in (
        PHOTO,  # example
        PRIMES,
    )
}
