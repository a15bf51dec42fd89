"""Each test starts the service, which runs the jobs."""

from tests.support.in_process import started

__all__ = ["started"]
