"""The kinds of jobs of this service."""

from app.jobs.photos import PHOTO  # example
from app.jobs.primes import PRIMES
from app.kit.jobs.kinds import by_name

KINDS = by_name(
    PHOTO,  # example
    PRIMES,
)
