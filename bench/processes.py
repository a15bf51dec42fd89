"""Programs that serve: started on the CPU of their own, watched, and ended."""

import http.client
import os
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

APP_CPU = 0
# For the load generator, PostgreSQL and the upstreams: the bench itself, and what it starts.
LOAD_CPU = 1
START_SECONDS = 30
STOP_SECONDS = 5
# Longer than the slow sources take, so that calls to them end in between.
IDLE_SECONDS = 0.2
MOST_SECONDS_UNTIL_IDLE = 10
LOG = Path(__file__).parents[1] / "build" / "bench" / "servers.log"
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A program that listens on a port."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._proc = Path("/proc") / str(process.pid)
        self._tasks = self._proc / "task" / str(process.pid)
        self.port = port
        self.start_seconds = 0.0
        self.start_disturbed_percent = 0.0

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used, in user and in system mode."""
        return _cpu_seconds(self._proc)

    def children_cpu_seconds(self) -> list[float]:
        """Return the CPU time of each of its child processes, in the order of their start."""
        children = (self._tasks / "children").read_text().split()
        return [_cpu_seconds(Path("/proc") / child) for child in children]

    def wait_until_idle(self) -> None:
        """Wait until it has done what the clients of a load left behind; raise ``SystemExit``."""
        give_up_at, before = perf_counter() + MOST_SECONDS_UNTIL_IDLE, -1.0
        while (used := self.cpu_seconds()) != before:
            if perf_counter() > give_up_at:
                raise SystemExit(f"The service on port {self.port} works on without a load.")
            before = used
            sleep(IDLE_SECONDS)

    def rss_mb(self) -> float:
        """Return the memory it holds."""
        status = (self._proc / "status").read_text().splitlines()
        (line,) = (line for line in status if line.startswith("VmRSS:"))
        return round(int(line.split()[1]) / 1024, 1)


class Watch:
    """Measures what disturbs a measurement, from when it is made."""

    def __init__(self, cpu: int = APP_CPU) -> None:
        self._cpu = cpu
        self._start = perf_counter()
        self._busy, self._steal = self._read()

    def foreign_percent(self, used_seconds: float) -> float:
        """Return what other programs took of the CPU than the one that used so much."""
        return self._percent(self._read()[0] - self._busy - used_seconds)

    def disturbed_percent(self, used_seconds: float) -> float:
        """Return both together."""
        return round(self.foreign_percent(used_seconds) + self.steal_percent(), 1)

    def steal_percent(self) -> float:
        """Return what other machines took of the services' CPU and of the load's."""
        return self._percent((self._read()[1] - self._steal) / 2)

    def _percent(self, seconds: float) -> float:
        return round(max(0, 100 * seconds / (perf_counter() - self._start)), 1)

    def _read(self) -> tuple[float, float]:
        """Return the time that programs have used the CPU, and that was stolen from both."""
        stat = Path("/proc/stat").read_text().splitlines()
        cpus = {name: [*map(int, it)] for name, *it in map(str.split, stat) if name[:3] == "cpu"}
        steal = sum(cpus[f"cpu{cpu}"][7] for cpu in (APP_CPU, LOAD_CPU))
        return sum(cpus[f"cpu{self._cpu}"][:3]) / TICKS, steal / TICKS


@contextmanager
def serve(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    port: int,
    cpu: int = APP_CPU,
    more_cpus: Sequence[int] = (),
) -> Generator[Server]:
    """Start a program, wait until it answers, and end it; raise ``SystemExit`` if it fails."""
    cpus = ",".join(map(str, (cpu, *more_cpus)))
    start, watch = perf_counter(), Watch(cpu)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", cpus, *command],
            cwd=folder,
            # With their modules compiled at the first start, as where they are installed.
            env={**os.environ, **variables, "PORT": str(port), "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        while not _answers(port):
            if process.poll() is not None or perf_counter() > start + START_SECONDS:
                raise SystemExit(
                    f"{' '.join(command[1:])} in {folder.name} does not start: see {LOG}."
                )
            sleep(0.005)
        server = Server(process, port)
        server.start_seconds = round(perf_counter() - start, 3)
        server.start_disturbed_percent = watch.disturbed_percent(server.cpu_seconds())
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cpu_seconds(proc: Path) -> float:
    fields = (proc / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
