"""`python -m services.scheduler` runs the service."""

from services.scheduler.main import main

main()
