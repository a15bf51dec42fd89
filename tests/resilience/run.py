"""All checks of one service."""

from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tests.resilience.bodies import check_large_bodies, check_large_photos
from tests.resilience.check import Check
from tests.resilience.logins import check_many_logins
from tests.resilience.malformed import check_malformed_requests
from tests.resilience.outage import check_outages
from tests.resilience.postgresql import new_server
from tests.resilience.rate_limit import check_rate_limit
from tests.resilience.service import Service, StartCommand, running
from tests.resilience.shutdown import check_shutdown
from tests.resilience.slow_clients import check_slow_clients


def run_checks(command: StartCommand) -> list[Check]:
    """Start the service with a new database and run the checks that fit it."""
    answers = yaml.safe_load((command.folder / ".copier-answers.yml").read_text("utf-8"))
    if answers["database"] == "sqlite":
        with TemporaryDirectory(prefix="sqlite-") as folder:
            url = f"sqlite:///{Path(folder, 'resilience.db')}"
            with running(command, url) as service:
                return [*_check(command, service, url), *_check_shutdown(service)]
    with new_server() as database, running(command, database.url) as service:
        checks = [
            *_check(command, service, database.url),
            *check_outages(service, database, is_async=answers["async_db"]),
        ]
        service.new_errors()  # which tell of the outages
        return [*checks, *_check_shutdown(service)]


def _check(command: StartCommand, service: Service, database_url: str) -> Generator[Check]:
    """Run the checks that need nothing but requests."""
    yield from check_malformed_requests(service)
    yield from check_large_bodies(service)
    if service.document.has_photos:
        yield from check_large_photos(service)
    yield from check_slow_clients(service)
    if service.document.has_login:
        yield from check_many_logins(service)
    if service.document.has_rate_limit:
        yield from check_rate_limit(command, database_url)
    yield Check("log: errors until here", len(service.new_errors()), 0)


def _check_shutdown(service: Service) -> Generator[Check]:
    yield from check_shutdown(service)
    yield Check("SIGTERM: errors in the log", len(service.new_errors()), 0)
