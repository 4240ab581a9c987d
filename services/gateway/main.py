"""gateway: the REST API over commands and views."""

from chassis import serving
from chassis.service import Service
from services.gateway.app import application
from services.gateway.settings import GatewaySettings
from services.gateway.store import STORE


def build(settings: GatewaySettings) -> Service:
    """Put the parts together."""
    return Service("gateway", settings, STORE)


def main() -> None:
    """Run until SIGTERM."""
    settings = GatewaySettings.load()
    serving.run(application(build(settings), settings), "gateway", settings)
