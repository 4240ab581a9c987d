"""A field of a client is in everything about clients, or a test says where it is missing."""

import pytest

from contracts.crm import ClientDetailsPatch, PersonalDetails
from services.gateway.leads import export
from services.gateway.leads.columns import ADDRESS
from services.gateway.leads.parsing import Lead
from services.gateway.leads.words.vocabulary import MEANINGS
from services.gateway.read_models.documents import ClientDocument
from services.gateway.read_models.schemas.clients import Client, ClientPatch, NewClient


@pytest.mark.parametrize("field", PersonalDetails.model_fields)
def test_a_client_s_field_is_everywhere(field: str) -> None:
    for model in (ClientDetailsPatch, NewClient, ClientPatch, Client, ClientDocument):
        assert field in model.model_fields, f"add {field} to {model.__name__}"
    assert field in export.COLUMNS, "add it to export.COLUMNS"
    assert field in Lead.__dataclass_fields__, "add it to the import's Lead"
    assert field in {*MEANINGS, ADDRESS}, "say in vocabulary.py which columns mean it"
