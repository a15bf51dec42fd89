"""Traces, metrics and logs of this service."""

from app.core.about import ABOUT
from app.core.config import Settings
from app.kit.telemetry.telemetry import Telemetry


def create_telemetry(settings: Settings) -> Telemetry:
    """Return what records and exports them; probes are not traced."""
    untraced = f"{settings.root_path}/health/"
    return Telemetry(settings, version=ABOUT.version, untraced=untraced)
