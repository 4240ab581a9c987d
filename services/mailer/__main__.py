"""`python -m services.mailer` runs the service."""

from services.mailer.main import main

main()
