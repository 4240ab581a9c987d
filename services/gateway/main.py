"""gateway: the REST API over commands and views."""

from chassis.process import server
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
    app = application(build(settings), settings)
    server.run(app, "gateway", settings, OutgoingWebSocket)


if __name__ == "__main__":
    main()
