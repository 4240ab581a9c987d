"""gateway: the REST API over commands and views."""
