"""crm: agents, their clients and sequences."""

from chassis.process.settings import Settings
from chassis.service import Service
from services.crm import reactions
from services.crm.documents import STORE


def build(settings: Settings) -> Service:
    """Put the parts together."""
    service = Service("crm", settings, STORE)
    for command, reaction in reactions.BY_COMMAND.items():
        service.react(command, reaction)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(Settings.load()).run()


if __name__ == "__main__":
    main()
