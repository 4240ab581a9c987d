"""The same job as a classic design does it: Celery, Redis and MongoDB."""
