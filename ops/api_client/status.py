"""`realtoros status`: whether all services are well, what is under way, what needs a person."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from ops.api_client.client import ApiClient
from ops.errors import ApiUnavailable, OperatorError
from services.gateway.read_models.documents import EmailStatus, TaskStatus

READY, RUNS = "ready", "runs"
_NO_ANSWER = "does not answer"
# A service that answers at all answers at once.
_HEALTH_SECONDS = 5.0
# What goes on only when a person decides.
_FOR_A_PERSON = ("failed", "unknown")

# Returns whether each service is well, or why it is not; raises OperatorError where it cannot tell.
AskServices = Callable[[], Awaitable[Mapping[str, str]]]


@dataclass
class Status:
    """What is known of a running system: counts by status, and why each part is not well."""

    api: str
    ready: str
    services: dict[str, str] = field(default_factory=dict)
    services_unknown: str | None = None
    work_of: Literal["office", "agent"] = "office"
    tasks: dict[str, int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)
    error: str | None = None

    @property
    def needs_a_person(self) -> list[str]:
        """What does not go on by itself."""
        return [
            *([f"gateway: {self.ready}"] if self.ready != READY else []),
            *(f"{name}: {why}" for name, why in self.services.items() if why not in (READY, RUNS)),
            *(f"{n} {name} tasks" for name in _FOR_A_PERSON if (n := self.tasks.get(name))),
        ]


async def status(
    url: str,
    key: str | None,
    ask_services: AskServices,
    say: Callable[[str], None],
    *,
    as_json: bool = False,
) -> int:
    """Print the status; return 1 when a person is needed, else 0. Raises ApiUnavailable."""
    found = await read_status(url, key, ask_services)
    if as_json:
        say(json.dumps(asdict(found) | {"needs_a_person": found.needs_a_person}))
    else:
        for line in _described(found):
            say(line)
    return 1 if found.needs_a_person else 0


async def read_status(url: str, key: str | None, ask_services: AskServices) -> Status:
    """Ask the API, and for the other services; raise ApiUnavailable if neither answers."""
    found = Status(url.rstrip("/"), _NO_ANSWER)
    try:
        services = await ask_services()
    except OperatorError as error:
        found.services_unknown = str(error)
    else:
        found.services = {name: state for name, state in services.items() if name != "gateway"}
    async with ApiClient(url, key) as api:
        try:
            ready, detail = await api.readiness()
            found.ready = READY if ready else _compact(detail)
            await _read_work(api, found)
        except ApiUnavailable as error:
            nothing_is_known = found.ready == _NO_ANSWER and not found.services
            if found.ready == READY or nothing_is_known:
                raise
            found.error = str(error)
    return found


async def readiness_of(urls: Mapping[str, str]) -> dict[str, str]:
    """Return whether each service is ready, or why it is not, as it answers at its URL."""
    answers = await asyncio.gather(*map(_readiness, urls.values()))
    return dict(zip(urls, answers, strict=True))


async def _read_work(api: ApiClient, found: Status) -> None:
    of_office = await api.is_admin()
    found.work_of = "office" if of_office else "agent"
    for collection, statuses, counts in (
        ("tasks", get_args(TaskStatus), found.tasks),
        ("emails", get_args(EmailStatus), found.emails),
    ):
        counts.update(await _counts(api, collection, statuses, of_office=of_office))


async def _readiness(url: str) -> str:
    async with ApiClient(url, None, timeout=_HEALTH_SECONDS) as service:
        try:
            ready, detail = await service.readiness()
        except ApiUnavailable:
            return _NO_ANSWER
    return READY if ready else _compact(detail)


async def _counts(
    api: ApiClient, collection: str, statuses: Sequence[str], *, of_office: bool
) -> dict[str, int]:
    counts = await asyncio.gather(
        *(api.count(collection, status, of_office=of_office) for status in statuses)
    )
    return {name: count for name, count in zip(statuses, counts, strict=True) if count}


def _described(found: Status) -> list[str]:
    is_ready = found.ready == READY
    states = [f"gateway {READY if is_ready else 'not ready'}"]
    states += [f"{n} {s if s in (READY, RUNS) else 'not ready'}" for n, s in found.services.items()]
    services = ", ".join(states)
    if found.services_unknown:
        services += f"; of the others nothing is known: {found.services_unknown}"
    whose = {"office": "of all agents", "agent": "of the API key's agent"}[found.work_of]
    work = [
        f"tasks     {_counted(found.tasks)} ({whose})",
        f"emails    {_counted(found.emails)}",
    ]
    return [
        f"RealtorOS at {found.api} is {READY if is_ready else f'not ready: {found.ready}'}",
        f"services  {services}",
        *([found.error] if found.error else work),
        *(f"needs a person: {line}" for line in found.needs_a_person),
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _compact(detail: str) -> str:
    """Return a JSON answer on one line."""
    try:
        return json.dumps(json.loads(detail), ensure_ascii=False)
    except ValueError:
        return " ".join(detail.split())
