"""The services by name, in the order in which they are started and listed."""

from typing import Final, Literal, get_args

Service = Literal["crm", "scheduler", "composer", "mailer", "gateway"]
# What the name of every service's database begins with, unless told otherwise.
DATABASE_PREFIX: Final = "realtoros_"
SERVICES: Final[tuple[Service, ...]] = get_args(Service)
