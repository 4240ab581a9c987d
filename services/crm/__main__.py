"""`python -m services.crm` runs the service."""

from services.crm.main import main

main()
