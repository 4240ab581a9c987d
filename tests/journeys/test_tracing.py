"""Tracing: one trace follows one follow-up through all five processes, over real OTLP."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from contracts.services import SERVICES
from ops.servers.ports import LOOPBACK, free_port
from tests.journeys.agent_user import agent_at, until
from tests.journeys.conftest import Providers
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey


class Receiver:
    """What an OTLP receiver got: spans with the services that sent them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    async def receive(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            of = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(of["service.name"], span) for span in scope.spans]
        return web.Response()

    def trace_of(self, service: str, name: str) -> dict[bytes, tuple[str, Span]]:
        """Return the spans, by id, of the trace that has such a span."""
        traces = {s.trace_id for of, s in self.spans if (of, s.name) == (service, name)}
        return {s.span_id: (of, s) for of, s in self.spans if s.trace_id in traces}


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    """Yield a receiver and its endpoint."""
    receiver, port = Receiver(), free_port()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    yield receiver, f"http://{LOOPBACK}:{port}"
    await runner.cleanup()


def type_of(span: Span) -> str:
    return next(
        (
            re.sub(r"realtoros\.(\w+)\.v\d+", r"\1", a.value.string_value)
            for a in span.attributes
            if a.key == "cloudevents.event_type"
        ),
        "",
    )


def way_to_root(trace: dict[bytes, tuple[str, Span]], leaf: Span) -> list[str]:
    """Return service, name and type of the span and all above it, the root first."""
    way: list[str] = []
    span: Span | None = leaf
    while span is not None:
        service, _ = trace[span.span_id]
        way.insert(0, f"{service}: {span.name} {type_of(span)}".strip())
        span = trace[span.parent_span_id][1] if span.parent_span_id else None
    return way


async def test_one_trace_leads_from_the_request_to_the_sent_email(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with receiving() as (receiver, endpoint):
        environment = providers.settings | {
            "FOLLOWUP_DAY_SECONDS": "0.1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "1.0",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        async with (
            system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
            agent_at(running.api[0]) as agent,
        ):
            client = await agent.add("Traced")
            await agent.task(client, "sent")

            async def all_arrived() -> bool:
                trace = receiver.trace_of("gateway", "POST /api/clients")
                spans = [(of, type_of(s), s.kind) for of, s in trace.values()]
                return ("gateway", "EmailSent", Span.SPAN_KIND_CONSUMER) in spans

            await until(all_arrived, "the gateway has shown the sent email")
        # The services have stopped, and sent what was left.
        trace = receiver.trace_of("gateway", "POST /api/clients")
        await asyncio.sleep(0)
    assert {service for service, _ in trace.values()} == set(SERVICES)
    ways = [
        way_to_root(trace, span)
        for service, span in trace.values()
        if service == "gateway" and type_of(span) == "EmailSent"
    ]
    assert ways[0] == [
        "gateway: POST /api/clients",
        "gateway: send clients.commands CreateClient",
        "crm: process clients.commands CreateClient",
        "crm: send clients ClientCreated",
        "scheduler: process clients ClientCreated",
        "scheduler: send followups FollowupsPlanned",
        "scheduler: work on due plan",
        "scheduler: send followups FollowupDue",
        "composer: process followups FollowupDue",
        "composer: send drafts DraftRequested",
        "composer: work on due draft",
        "composer: send drafts EmailComposed",
        "mailer: process drafts EmailComposed",
        "mailer: send emails EmailQueued",
        "mailer: work on due email",
        "mailer: send emails EmailSent",
        "gateway: process emails EmailSent",
    ]
    calls = [(of, s) for of, s in trace.values() if s.kind == Span.SPAN_KIND_CLIENT]
    assert {of for of, _ in calls} == {"composer", "mailer"}
    assert {trace[s.parent_span_id][1].name for _, s in calls} == {
        "work on due draft",
        "work on due email",
    }
    [request] = [s for _, s in trace.values() if s.kind == Span.SPAN_KIND_SERVER]
    told = {a.key: a.value.string_value or a.value.int_value for a in request.attributes}
    assert told["http.route"] == "/api/clients"
    assert told["http.response.status_code"] == 201
    assert "Traced" not in str(receiver.spans)
