"""The services by name, in the order in which they are started and listed."""

from typing import Final, Literal, get_args

Service = Literal["crm", "scheduler", "composer", "mailer", "gateway"]
SERVICES: Final[tuple[Service, ...]] = get_args(Service)
