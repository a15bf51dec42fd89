"""Attack the service and compare what it does with what it promises: ``python -m soak``.

Everything stays on this machine. It takes about two minutes and exits with 1 if a promise is broken.
"""

import sys
# {% if cookiecutter.database == "sqlite" %}
from tempfile import TemporaryDirectory
# {% endif %}

from soak import (
    greedy_clients,
    # {% if cookiecutter.rate_limit %}
    limit,
    # {% endif %}
    # {% if cookiecutter.auth %}
    logins,
    # {% endif %}
    malformed,
    # {% if cookiecutter.database == "postgresql" %}
    outage,
    # {% endif %}
    stopping,
)
# {% if cookiecutter.database == "postgresql" %}
from soak.postgresql import new_server
# {% endif %}
from soak.promise import Promise, report
from soak.service import serving


def main() -> None:
    """Run all attacks against one process, and print the table."""
    promises = attack()
    report(promises)
    sys.exit(not all(promise.is_kept for promise in promises))


# {% if cookiecutter.database == "postgresql" %}
def attack() -> list[Promise]:
    """Collect what each attack found; the last one ends the process."""
    with new_server() as database, serving(database.url) as service:
        return [
            *malformed.attack(service),
            *greedy_clients.attack(service),
            # {% if cookiecutter.auth %}
            *logins.attack(service),
            # {% endif %}
            # {% if cookiecutter.rate_limit %}
            *limit.attack(database.url),
            # {% endif %}
            *outage.attack(service, database),
            *stopping.attack(service),
        ]


# {% else %}
def attack() -> list[Promise]:
    """Collect what each attack found; the last one ends the process."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/soak.db"
        with serving(url) as service:
            return [
                *malformed.attack(service),
                *greedy_clients.attack(service),
                # {% if cookiecutter.auth %}
                *logins.attack(service),
                # {% endif %}
                # {% if cookiecutter.rate_limit %}
                *limit.attack(url),
                # {% endif %}
                *stopping.attack(service),
            ]


# {% endif %}
if __name__ == "__main__":
    main()
