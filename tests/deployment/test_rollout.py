"""A rollout, run: two old and two new pods behind nginx, while clients send 20,000 requests.

The containers are those of the manifests, and the steps are those of a Deployment with ``maxSurge``
1: a new pod waits for the migration, becomes ready and is added; then an old pod gets SIGTERM, and
the proxy learns of it a second later.
"""

import json
import shutil
from collections import Counter
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep
from uuid import uuid4

import pytest

from tests.combinations import DEFAULTS
from tests.deployment.conftest import Figures
from tests.deployment.engine import Engine
from tests.deployment.images import BUILD_OPTIONS, Container
from tests.deployment.kubernetes import pod
from tests.deployment.pods import Cluster, cluster, mebibytes
from tests.deployment.standins import SERVERS
from tests.environments import uv_lock
from tests.releases import edit, revision
from tests.services import QUICK, Service
from tests.trees import tree

COMBINATION = DEFAULTS.but(
    database="postgresql", job_queue="procrastinate", deployment="kubernetes"
)
USERS = "/api/v1/users/"
REQUESTS = 20_000
CLIENTS = 8
TIMEOUT_SECONDS = 30
ENDPOINT_SECONDS = 1  # until proxies know that a pod stops; Kubernetes promises no time
OLD, NEW = "rollout:old", "rollout:new"
MODEL = "    name: Mapped[str] = mapped_column(String(255))\n"
COLUMN = '    team: Mapped[str] = mapped_column(String(50), server_default="all")\n'
# The old release leaves the column to its default.
REVISION = revision(
    "team",
    'op.add_column("user", sa.Column("team", sa.String(50), server_default="all", nullable=False))',
    'op.drop_column("user", "team")',
)
# These compare models and migrations, which differ here.
COMPARE_SCHEMAS = (
    "tests/kit/db/test_pooler.py::test_migrations_run_behind_the_pooler",
    "tests/test_new_database.py::test_models_and_migrations_agree",
)
WITHOUT_TABLES = ("tests/kit/http", "tests/kit/server", "tests/clients")
REVISION_FILE = "migrations/versions/team.py"
# The answers are a service's own: nginx repeats no request, and keeps connections to the pods.
PROXY = """\
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    scgi_temp_path /tmp/scgi;
    uwsgi_temp_path /tmp/uwsgi;
    upstream pods {{
        {}
        keepalive 16;
    }}
    server {{
        listen 8080;
        location / {{
            proxy_pass http://pods;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Proxy:
    """nginx, which knows the pods that are ready, as a Service does."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._folder = folder
        self._pods: list[Container] = []
        self._cluster = cluster
        folder.chmod(0o755)
        self.container: Container | None = None

    def add(self, pod: Container) -> None:
        """Send requests to this pod, too."""
        pod.wait_until_ready()
        self._pods.append(pod)
        self._reload()

    def remove(self, pod: Container) -> None:
        """Send no more requests to this pod."""
        self._pods.remove(pod)
        self._reload()

    def _reload(self) -> None:
        servers = "\n        ".join(
            f"server {pod.url.removeprefix('http://')};" for pod in self._pods
        )
        file = self._folder / "nginx.conf"
        file.write_text(PROXY.format(servers), "utf-8")
        file.chmod(0o644)
        if self.container:
            self.container.execute("nginx", "-c", "/proxy/nginx.conf", "-s", "reload")
        else:
            self.container = self._start()

    def _start(self) -> Container:
        engine, network = self._cluster.engine, self._cluster.network
        name = f"proxy-{uuid4().hex[:8]}"
        engine.docker(
            *("run", "--detach", "--name", name, "--label", network, "--network", network),
            *("--volume", f"{self._folder}:/proxy:ro", "--entrypoint", "nginx", SERVERS),
            *("-c", "/proxy/nginx.conf", "-g", "daemon off;"),
        )
        return Container(engine, name)

    @property
    def host(self) -> str:
        """Return its address in the network."""
        assert self.container
        return self.container.url.removeprefix("http://").partition(":")[0]


class Clients:
    """Clients that send requests, one of ten a change.

    Each request has a connection of its own: nginx closes idle ones when it is told of new pods.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.statuses: Counter[str] = Counter()
        self.sent = 0
        self.may_end = Event()
        self._lock = Lock()

    def send(self) -> None:
        """Send requests until the rollout is over and there were enough."""
        while number := self._next():
            status = self._ask(writes=number % 10 == 0)
            with self._lock:
                self.statuses[status] += 1

    def _next(self) -> int:
        with self._lock:
            if self.sent >= REQUESTS and self.may_end.is_set():
                return 0
            self.sent += 1
            return self.sent

    def _ask(self, *, writes: bool) -> str:
        """Create or list users; return the status, or the name of the error."""
        connection = HTTPConnection(self.host, 8080, timeout=TIMEOUT_SECONDS)
        try:
            if writes:
                body = json.dumps({"name": "Rollout", "email": f"{uuid4().hex}@example.com"})
                connection.request("POST", USERS, body, {"Content-Type": "application/json"})
            else:
                connection.request("GET", f"{USERS}?limit=5")
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return str(response.status)


@contextmanager
def clients(host: str) -> Generator[Clients]:
    """Send requests while the block runs, and at least ``REQUESTS``."""
    current = Clients(host)
    with ThreadPoolExecutor(CLIENTS) as threads:
        sending = [threads.submit(current.send) for _ in range(CLIENTS)]
        try:
            yield current
        finally:
            current.may_end.set()
    for client in sending:
        client.result()


@pytest.fixture(scope="module")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Build the old release, and the new one with a column and its migration."""
    folder = tmp_path_factory.mktemp("rollout") / "service"
    shutil.copytree(tree(COMBINATION), folder)
    shutil.copy(uv_lock(folder), folder / "uv.lock")
    engine.docker("build", *BUILD_OPTIONS.split(), "--tag", OLD, folder)
    edit(folder / "app/models/user.py", MODEL, MODEL + COLUMN)
    (folder / REVISION_FILE).write_text(REVISION, "utf-8")
    engine.docker("build", *BUILD_OPTIONS.split(), "--tag", NEW, folder)


@pytest.fixture
def running(engine: Engine, images: None, tmp_path: Path) -> Generator[Cluster]:
    """Run the database and migrate it to the old release."""
    password = uuid4().hex
    (tmp_path / "secrets").mkdir()
    host = f"database-{uuid4().hex[:8]}"
    secrets = {"database_url": f"postgresql://app:{password}@{host}/app"}
    with cluster(engine, COMBINATION, secrets, tmp_path / "secrets") as made:
        engine.docker(
            *("run", "--detach", "--name", host, "--label", made.network),
            *("--network", made.network, "--user", "postgres", "--entrypoint", "sh"),
            *("--env", "POSTGRES_DB=app", "--env", "POSTGRES_USER=app"),
            *("--env", "POSTGRES_PASSWORD_FILE=/tmp/password", SERVERS),
            *("-c", f"echo {password} > /tmp/password; exec entrypoint.sh postgres"),
        )
        made.run("migration", OLD)
        yield made


def test_rollout_loses_no_request(running: Cluster, tmp_path: Path, figures: Figures) -> None:
    (tmp_path / "proxy").mkdir()
    proxy = Proxy(running, tmp_path / "proxy")
    old = [running.start("web", OLD) for _ in range(2)]
    for one in old:
        proxy.add(one)
    stopping: list[Future[float]] = []
    with clients(proxy.host) as load, ThreadPoolExecutor() as threads:
        waiting = running.start("web", NEW, initial=True)
        sleep(2)
        assert is_running(waiting), "a pod of the new release did not wait for its migration"
        assert load.sent, "no request reached the old pods"
        running.run("migration", NEW)
        assert running.wait(waiting) == 0, waiting.logs()
        new: list[Container] = []
        for one in old:
            assert running.wait(running.start("web", NEW, initial=True)) == 0
            new.append(running.start("web", NEW))
            proxy.add(new[-1])
            stopping.append(threads.submit(one.stop))
            sleep(ENDPOINT_SECONDS)
            proxy.remove(one)
        seconds = max(it.result() for it in stopping)
        assert load.sent > 1000
    assert sum(load.statuses.values()) >= REQUESTS
    failed = sum(number for status, number in load.statuses.items() if status[0] != "2")
    figures.record(f"Rollout: failed of {load.sent:,} requests ({dict(load.statuses)})", failed, 0)
    assert [one.exit_code() for one in old] == [0, 0]
    assert seconds < pod(running.workloads["web"])["terminationGracePeriodSeconds"]
    check_memory(running, "web", max(map(peak_mebibytes, new)), figures)


def is_running(container: Container) -> bool:
    """Return whether a container has not ended."""
    return container.engine.inspect(container.name)["State"]["Running"]


def peak_mebibytes(container: Container) -> float:
    """Return the largest resident memory of all processes of a container, added up."""
    script = "cat /proc/[0-9]*/status"
    lines = container.execute("sh", "-c", script).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def check_memory(running: Cluster, component: str, peak: float, figures: Figures) -> None:
    """Test that a pod requests the memory that it needs, not much more, and may use twice that."""
    resources = pod(running.workloads[component])["containers"][0]["resources"]
    requested, limit = (mebibytes(resources[it]["memory"]) for it in ("requests", "limits"))
    figures.record(f"Kubernetes: memory of a pod ({component}), MiB", peak, requested)
    assert peak > 0.6 * requested
    assert limit >= 2 * requested


def test_worker_needs_the_memory_that_it_requests(running: Cluster, figures: Figures) -> None:
    web, worker = running.start("web", OLD), running.start("worker", OLD)
    web.wait_until_ready()
    with web.client() as client:
        created = [
            client.post("/api/v1/tasks", json={"limit": limit}) for limit in (5_000_000, 5_000_001)
        ]
        assert [answer.status_code for answer in created] == [202, 202]
        give_up_at = monotonic() + TIMEOUT_SECONDS
        peak = 0.0
        left = [answer.headers["Location"] for answer in created]
        while left:
            assert monotonic() < give_up_at, worker.logs()
            peak = max(peak, peak_mebibytes(worker))
            left = [it for it in left if client.get(it).json()["status"] != "succeeded"]
            sleep(0.1)
    assert worker.stop() < pod(running.workloads["worker"])["terminationGracePeriodSeconds"]
    assert worker.exit_code() == 0
    check_memory(running, "worker", peak, figures)


def test_old_pods_start_on_the_schema_of_the_new_release(running: Cluster) -> None:
    """After a rollback, or when a node fails during the rollout."""
    running.run("migration", NEW)
    again = running.start("web", OLD, initial=True)
    assert running.wait(again) == 0, again.logs()
    web = running.start("web", OLD)
    web.wait_until_ready()
    with web.client() as client:
        user = {"name": "Rollback", "email": "rollback@example.com"}
        assert client.post(USERS, json=user).status_code == 201


def test_code_of_the_old_release_passes_its_tests_on_the_new_schema(workplace: Path) -> None:
    service = Service.open(COMBINATION, workplace)
    (service.folder / REVISION_FILE).write_text(REVISION, "utf-8")
    left_out = [word for test in COMPARE_SCHEMAS for word in ("--deselect", test)]
    left_out += [f"--ignore={folder}" for folder in WITHOUT_TABLES]
    service.run("pytest", "-q", "-m", QUICK, *left_out)
