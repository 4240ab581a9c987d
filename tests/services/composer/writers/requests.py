"""Requests for letters, as the tests of the writers make them."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.crm import AgentProfile, ClientDetails, PropertyType, Stage
from contracts.scheduler import FollowupType, Recipient
from services.composer.writer import CompositionRequest
from services.gateway.leads.words.values import PROPERTY_TYPE_OF, STAGE_OF
from services.gateway.leads.words.vocabulary import key

DANA = AgentProfile(name="Dana Reed", email="dana@harbor.example", company="Harbor Realty")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LEADS = Path(__file__).parents[4] / "ops/demo/samples/leads.csv"


def request(
    followup_type: FollowupType = "Day 1",
    stage: Stage = "lead",
    property_type: PropertyType = "residential",
    agent: AgentProfile = DANA,
    **client: Any,
) -> CompositionRequest:
    """Return a request for a letter to Maria Lopez, unless the fields of `client` differ."""
    details: dict[str, Any] = {"name": "Maria Lopez", "email": "maria@mail.example"} | client
    recipient = Recipient(client=ClientDetails(**details), agent=agent)
    return CompositionRequest(followup_type, stage, property_type, recipient)


def sample_requests(step: FollowupType) -> Iterator[CompositionRequest]:
    """Return a request for each of the 25 sample leads of the demo."""
    for lead in csv.DictReader(LEADS.read_text().splitlines()):
        yield request(
            step,
            STAGE_OF[key(lead["stage"])],
            PROPERTY_TYPE_OF[key(lead["property type"])],
            name=lead["name"],
            email=lead["email"],
            property_address=lead["address"],
            notes=lead["notes"],
            custom_fields={"source": lead["source"], "budget": lead["budget"]},
        )
