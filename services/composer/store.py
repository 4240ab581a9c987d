"""All that composer keeps in its database."""

from chassis.store import Store
from services.composer.documents import DRAFTS

STORE = Store(aggregates=(DRAFTS,))
