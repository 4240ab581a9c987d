"""gateway: the REST API over commands and views."""

from chassis.process import server
from chassis.process.hosting import Hosting
from chassis.process.logging import configure_logging
from chassis.service import Service
from services.gateway.app import application
from services.gateway.documents import STORE
from services.gateway.http.websocket_protocol import OutgoingWebSocket
from services.gateway.settings import GatewaySettings


def build(settings: GatewaySettings) -> Service:
    """Return the service of these settings."""
    return Service("gateway", settings, STORE)


def main() -> None:
    """Run until SIGTERM."""
    settings = GatewaySettings.load()
    # The pages are read before the server runs.
    configure_logging("gateway", settings.log_level)
    service = build(settings)
    app = application(service, settings)
    server.run(Hosting(app, service.health, app.lifespan), "gateway", settings, OutgoingWebSocket)


if __name__ == "__main__":
    main()
