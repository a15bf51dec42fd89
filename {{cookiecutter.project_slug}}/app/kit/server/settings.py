"""Settings of the server process."""

import re
import sys
from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from app.kit.settings import BaseAppSettings, CommaSeparated, Seconds, SecondsOrZero

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
# Kubernetes and most hosts kill a process 30 s after they asked it to stop.
LONGEST_STOP_SECONDS = 25


class ServerSettings(BaseAppSettings):
    """Where the server listens, which proxies it trusts and how it stops."""

    app_module: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")] = "app.main:create_app"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8001
    root_path: str = ""
    forwarded_allow_ips: CommaSeparated = ("127.0.0.1", "::1")
    keep_alive_seconds: Seconds = 75
    reload: bool = False
    drain_seconds: SecondsOrZero | None = None
    grace_seconds: SecondsOrZero = 15

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        if not PREFIX.fullmatch(value):
            raise ValueError(
                "must begin with a slash and not end with one, such as /api, "
                "and contain only letters, digits, slashes and .-_~"
            )
        return value

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Accept addresses and networks, but not the network of all addresses."""
        try:
            networks = [ip_network(proxy) for proxy in value]
        except ValueError:
            message = "must be addresses or networks such as 10.0.0.0/8, separated by commas"
            raise ValueError(message) from None
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("must not contain all addresses: list the proxies or their networks")
        return value

    @model_validator(mode="after")
    def _check_workers(self) -> Self:
        if self.workers > 1 and self.reload:
            raise ValueError("RELOAD needs WORKERS=1")
        if self.workers > 1 and sys.platform == "win32":
            raise ValueError("WORKERS must be 1 on Windows")
        return self

    @model_validator(mode="after")
    def _check_stop(self) -> Self:
        if self.effective_drain_seconds + self.grace_seconds > LONGEST_STOP_SECONDS:
            raise ValueError(
                "DRAIN_SECONDS and GRACE_SECONDS together must not exceed "
                f"{LONGEST_STOP_SECONDS} seconds"
            )
        return self

    @property
    def effective_drain_seconds(self) -> float:
        """How long to keep serving after SIGTERM, until load balancers have noticed."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return 0 if self.environment == "local" else 5
