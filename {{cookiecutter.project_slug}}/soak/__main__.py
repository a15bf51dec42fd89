"""Attack the service and compare what it does with what it promises: ``python -m soak``.

Everything stays on this machine. It takes about two minutes and exits with 1 if a promise is broken.
"""

import sys
# {% if cookiecutter.database == "sqlite" %}
from tempfile import TemporaryDirectory
# {% endif %}

# {% if cookiecutter.database == "postgresql" %}
from soak import malformed, outage, pressure
# {% else %}
from soak import malformed, pressure
# {% endif %}
from soak.service import Promise, serving


def main() -> None:
    """Run all attacks against one process, and print the table."""
    promises = attack()
    report(promises)
    sys.exit(not all(promise.is_kept for promise in promises))


def report(promises: list[Promise]) -> None:
    """Print the table."""
    width = max(len(promise.text) for promise in promises)
    print(f"\n{'promise':{width}}{'figure':>10}{'limit':>8}  ok")
    for promise in promises:
        verdict = "yes" if promise.is_kept else "NO"
        print(f"{promise.text:{width}}{promise.figure:10.4g}{promise.limit:8g}  {verdict}")


# {% if cookiecutter.database == "postgresql" %}
def attack() -> list[Promise]:
    """Collect what each attack found; the last one ends the process."""
    with outage.new_server() as database, serving(database.url) as service:
        return [
            *malformed.attack(service),
            *pressure.send_too_much(service),
            *pressure.come_to_no_point(service),
            # {% if cookiecutter.auth %}
            *pressure.guess_passwords(service),
            # {% endif %}
            # {% if cookiecutter.rate_limit %}
            *pressure.exceed_limit(database.url),
            # {% endif %}
            *outage.attack(service, database),
            *pressure.stop(service),
        ]


# {% else %}
def attack() -> list[Promise]:
    """Collect what each attack found; the last one ends the process."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/soak.db"
        with serving(url) as service:
            return [
                *malformed.attack(service),
                *pressure.send_too_much(service),
                *pressure.come_to_no_point(service),
                # {% if cookiecutter.auth %}
                *pressure.guess_passwords(service),
                # {% endif %}
                # {% if cookiecutter.rate_limit %}
                *pressure.exceed_limit(url),
                # {% endif %}
                *pressure.stop(service),
            ]


# {% endif %}
if __name__ == "__main__":
    main()
