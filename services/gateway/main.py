"""gateway: the REST API over commands and views."""

from chassis.process import server
from chassis.service import Service
from services.gateway.app import application
from services.gateway.documents import STORE
from services.gateway.http.header_limit import limited
from services.gateway.settings import GatewaySettings


def build(settings: GatewaySettings) -> Service:
    """Return the service of these settings."""
    return Service("gateway", settings, STORE)


def main() -> None:
    """Run until SIGTERM."""
    settings = GatewaySettings.load()
    app, http = application(build(settings), settings), limited(settings.max_header_bytes)
    server.run(app, "gateway", settings, http)
