"""`realtoros status`: whether all services are ready, what is under way, what needs a person."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import get_args

from ops.api_client.client import ApiClient
from ops.errors import ApiUnavailable
from services.gateway.read_models.documents import EmailStatus, TaskStatus

_READY = "ready"
# What goes on only when a person decides.
_FOR_A_PERSON = ("failed", "unknown")


@dataclass
class Status:
    """What is known of a running system: counts by status, and why each part is not ready."""

    api: str
    ready: str
    services: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)
    error: str | None = None

    @property
    def needs_a_person(self) -> list[str]:
        """What does not go on by itself."""
        return [
            *([f"gateway: {self.ready}"] if self.ready != _READY else []),
            *(f"{name}: {why}" for name, why in self.services.items() if why != _READY),
            *(f"{n} {name} tasks" for name in _FOR_A_PERSON if (n := self.tasks.get(name))),
        ]


async def status(
    url: str,
    key: str | None,
    services: Mapping[str, str],
    say: Callable[[str], None],
    *,
    as_json: bool = False,
) -> int:
    """Print the status; return 1 when a person is needed, else 0. Raises ApiUnavailable."""
    found = await read_status(url, key, services)
    if as_json:
        say(json.dumps(asdict(found) | {"needs_a_person": found.needs_a_person}))
        return 1 if found.needs_a_person else 0
    is_ready = found.ready == _READY
    say(f"RealtorOS at {found.api} is {_READY if is_ready else f'not ready: {found.ready}'}")
    if found.error:
        say(found.error)
    else:
        say(f"tasks   {_counted(found.tasks)}")
        say(f"emails  {_counted(found.emails)}")
    for line in found.needs_a_person:
        say(f"needs a person: {line}")
    return 1 if found.needs_a_person else 0


async def read_status(url: str, key: str | None, services: Mapping[str, str]) -> Status:
    """Ask the API, and each service of which the address is known. Raises ApiUnavailable."""
    async with ApiClient(url, key) as api:
        ready, detail = await api.readiness()
        found = Status(api.url, _READY if ready else _compact(detail))
        try:
            found.tasks = await _counts(api, "tasks", get_args(TaskStatus))
            found.emails = await _counts(api, "emails", get_args(EmailStatus))
        except ApiUnavailable as error:
            if ready:
                raise
            found.error = str(error)
    others = {name: address for name, address in services.items() if name != "gateway"}
    answers = await asyncio.gather(*map(_readiness, others.values()))
    found.services = dict(zip(others, answers, strict=True))
    return found


async def _readiness(url: str) -> str:
    async with ApiClient(url, None) as service:
        try:
            ready, detail = await service.readiness()
        except ApiUnavailable:
            return "does not answer"
    return _READY if ready else _compact(detail)


async def _counts(api: ApiClient, collection: str, statuses: Sequence[str]) -> dict[str, int]:
    counts = await asyncio.gather(*(api.count(collection, status) for status in statuses))
    return {name: count for name, count in zip(statuses, counts, strict=True) if count}


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _compact(detail: str) -> str:
    """Return a JSON answer on one line."""
    try:
        return json.dumps(json.loads(detail), ensure_ascii=False)
    except ValueError:
        return " ".join(detail.split())
