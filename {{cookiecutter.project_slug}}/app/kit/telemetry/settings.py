"""Settings of traces, metrics and logs, under the names that OpenTelemetry has given them."""

from typing import Annotated, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from app.kit.settings import BaseAppSettings, Host


def check_endpoint(value: str) -> str:
    """Return the URL without its last slash; raise ``ValueError`` unless paths can follow it."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ValueError("must be a URL such as http://localhost:4318")
    if parts.query or parts.fragment or parts.username or not value.isprintable() or " " in value:
        raise ValueError("must be a URL without user, ? and #; credentials belong into headers")
    _ = parts.port  # raises ValueError if it is out of range
    return value.rstrip("/")


def split_headers(value: str) -> dict[str, str]:
    """Return the headers of a list such as ``api-key=secret,x=y``, whose values are URL-encoded."""
    pairs = [item.strip().partition("=") for item in value.split(",") if item.strip()]
    return {name.strip().lower(): unquote(text.strip()) for name, _, text in pairs}


def check_headers(value: SecretStr) -> SecretStr:
    """Return the headers; raise ``ValueError``, which does not repeat them, if they are invalid."""
    for name, text in split_headers(value.get_secret_value()).items():
        if not name.isascii() or not name.replace("-", "").isalnum() or not text.isprintable():
            raise ValueError("must be headers such as api-key=value, separated by commas")
    return value


Endpoint = Annotated[str, AfterValidator(check_endpoint)]
Headers = Annotated[SecretStr, AfterValidator(check_headers)]
Exporter: TypeAlias = Literal["otlp", "none"]
Signal: TypeAlias = Literal["traces", "metrics", "logs"]


class TelemetrySettings(BaseAppSettings):
    """Where traces, metrics and logs go, and how many traces."""

    otel_service_name: str = "{{ cookiecutter.project_slug }}"
    otel_exporter_otlp_endpoint: Endpoint | None = None
    otel_exporter_otlp_headers: Headers = SecretStr("")
    otel_traces_exporter: Exporter = "otlp"
    otel_traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1
    otel_metrics_exporter: Exporter = "otlp"
    otel_logs_exporter: Exporter = "none"
    otel_exporter_prometheus_host: Host = "127.0.0.1"
    otel_exporter_prometheus_port: Annotated[int, Field(ge=1, le=65_000)] | None = None

    def endpoint_of(self, signal: Signal) -> str | None:
        """Return where a signal is sent; None if it is not."""
        exporters: dict[Signal, Exporter] = {
            "traces": self.otel_traces_exporter,
            "metrics": self.otel_metrics_exporter,
            "logs": self.otel_logs_exporter,
        }
        if self.otel_exporter_otlp_endpoint is None or exporters[signal] == "none":
            return None
        return f"{self.otel_exporter_otlp_endpoint}/v1/{signal}"
