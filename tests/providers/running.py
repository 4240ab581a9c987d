"""Fake providers for tests: each a process of its own, controlled over HTTP."""

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx2

from ops.servers.ports import LOOPBACK, remembered_port
from ops.servers.server_process import end_orphan, owned, running
from tests.providers.ledger import entries

_ROOT = Path(__file__).parents[2]
_BASE = {"openai": "/v1", "sendgrid": ""}


@dataclass(frozen=True)
class FakeProvider:
    """A running provider; `url` is the value for OPENAI_BASE_URL or SENDGRID_BASE_URL."""

    url: str
    ledger_file: Path
    _control: httpx2.AsyncClient
    _skipped: int = 0

    def ledger(self) -> list[dict[str, Any]]:
        """Return what was accepted, oldest first; see the provider's module for the fields."""
        return entries(self.ledger_file)[self._skipped :]

    async def reset(self) -> "FakeProvider":
        """Clear all faults and return the same provider without what it has accepted so far."""
        await self.clear_faults()
        return replace(self, _skipped=len(entries(self.ledger_file)))

    async def inject_faults(self, *faults: dict[str, Any]) -> None:
        """Replace the faults in force by these; see tests.providers.faults for the fields."""
        (await self._control.put("/_faults", json=faults)).raise_for_status()

    async def clear_faults(self) -> None:
        """Clear all faults."""
        (await self._control.delete("/_faults")).raise_for_status()


@contextlib.asynccontextmanager
async def provider(
    name: Literal["openai", "sendgrid"],
    folder: Path,
    *,
    delay_ms: float = 0.0,
    host: str = LOOPBACK,
) -> AsyncIterator[FakeProvider]:
    """Run the provider; each of its answers takes at least `delay_ms` milliseconds.

    Its ledger stays in `<folder>/<name>`. Started again on the same folder it has the same
    address, if that is still free, and continues its ledger.
    """
    with owned(folder / name) as home:
        await end_orphan(name, home)
        port = remembered_port(home)
        ledger = home / "ledger.jsonl"
        command = [sys.executable, "-m", f"tests.providers.{name}", "--host", host]
        command += ["--port", str(port), "--ledger", str(ledger), "--delay-ms", str(delay_ms)]
        address = f"http://{host}:{port}"
        async with (
            httpx2.AsyncClient(base_url=address, trust_env=False) as control,
            running(name, command, home, lambda: _answers(control), working_folder=_ROOT),
        ):
            yield FakeProvider(address + _BASE[name], ledger, control)


async def _answers(control: httpx2.AsyncClient) -> bool:
    try:
        return (await control.get("/_ledger")).is_success
    except httpx2.TransportError:
        return False
