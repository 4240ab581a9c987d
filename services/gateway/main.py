"""gateway: the REST API over commands and views."""

from chassis import serving
from chassis.service import Service
from services.gateway.app import application
from services.gateway.http import limited
from services.gateway.settings import GatewaySettings
from services.gateway.store import STORE


def build(settings: GatewaySettings) -> Service:
    """Put the parts together."""
    return Service("gateway", settings, STORE)


def main() -> None:
    """Run until SIGTERM."""
    settings = GatewaySettings.load()
    app, http = application(build(settings), settings), limited(settings.max_header_bytes)
    serving.run(app, "gateway", settings, http)
