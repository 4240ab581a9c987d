"""gateway: the REST API over commands and views."""

from chassis import serving
from chassis.service import Service
from services.gateway.app import application
from services.gateway.documents import DOCUMENTS
from services.gateway.settings import GatewaySettings
from services.gateway.views import CLIENTS, EMAIL_LOGS, TASKS


def build(settings: GatewaySettings) -> Service:
    """Put the parts together."""
    service = Service("gateway", settings, DOCUMENTS)
    service.show(CLIENTS)
    service.show(TASKS)
    service.show(EMAIL_LOGS)
    return service


def main() -> None:
    """Run until SIGTERM."""
    settings = GatewaySettings.load()
    serving.run(application(build(settings), settings), "gateway", settings)
