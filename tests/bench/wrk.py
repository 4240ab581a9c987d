"""Load by wrk: requests a second of a GET, and how long POSTs at a steady rate take."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.results import InvalidRun

CONNECTIONS = 16
POSTING = 50
_POST = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long s, us; } moment; int gettimeofday(moment *now, void *zone);")
local moment = ffi.new("moment")
local function milliseconds()
  ffi.C.gettimeofday(moment, nil)
  return tonumber(moment.s) * 1000 + tonumber(moment.us) / 1000
end
function init(args) sent = 0; math.randomseed(os.time()) end
-- Any free connection takes the next moment, so that connections do not stay synchronised.
function delay()
  next_ms = math.max((next_ms or milliseconds()) + 1000 / %(rate)d, milliseconds())
  return next_ms - milliseconds()
end
function request()
  sent = sent + 1
  local body = string.format('{"name": "Robin Wrk %%d", "email": "robin.%%d.%%d@mail.example.com",'
    .. ' "phone": "+1 555 0100", "property_address": "%%d Elm Street, Springfield",'
    .. ' "notes": "Met at the open house."}', sent, sent, math.random(1000000000), sent)
  local headers = {["Authorization"] = "%(authorization)s", ["Content-Type"] = "application/json"}
  return wrk.format("POST", "%(path)s", headers, body)
end
function done(summary, latency, requests)
  io.write(string.format("POSTED requests=%%d failed=%%d p50=%%f p95=%%f p99=%%f seconds=%%f\\n",
    summary.requests, summary.errors.status + summary.errors.timeout + summary.errors.read
    + summary.errors.connect + summary.errors.write, latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000, summary.duration / 1000000))
end
"""


class Posted(NamedTuple):
    """How long POSTs took, in milliseconds, and how many were not answered with 2xx."""

    requests: int
    failed: int
    p50: float
    p95: float
    p99: float
    seconds: float


def find_wrk() -> str:
    """Return the path of wrk. Raises InvalidRun with how to install it."""
    if path := shutil.which("wrk"):
        return path
    raise InvalidRun("wrk is missing: apt-get install wrk")


async def rate_of(url: str, headers: Mapping[str, str], seconds: int) -> float:
    """Return the requests a second that the URL serves. Raises InvalidRun at errors."""
    given = [f"-H{name}: {value}" for name, value in headers.items()]
    output = await _wrk(f"-c{CONNECTIONS}", f"-d{seconds}", *given, url)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if "Non-2xx" in output or "Socket errors" in output or not found:
        raise InvalidRun(f"{url} had failed requests:\n{output}")
    return float(found[1])


async def post_steadily(url: str, path: str, authorization: str, seconds: int) -> Posted:
    """Post new clients, 50 a second, evenly spaced while no more than 50 wait for an answer."""
    known = {"rate": POSTING, "authorization": authorization, "path": path}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        await asyncio.to_thread(script.write_text, _POST % known)
        output = await _wrk(f"-c{POSTING}", f"-d{seconds}", f"-s{script}", url)
    values = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", output)}
    if "requests" not in values:
        raise InvalidRun(f"wrk printed no results:\n{output}")
    count, failed = int(values.pop("requests")), int(values.pop("failed"))
    return Posted(count, failed, **values)


async def _wrk(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(find_wrk(), "-t1", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()
