"""`python -m services.composer` runs the service."""

from services.composer.main import main

main()
