"""A bare Litestar handler of the gateway's two lists: the same queries, no more.

`python -m tests.bench.bare_api PORT MONGODB_URI AGENT_ID` serves until SIGTERM, as
chassis.process.server does. It does not authenticate, limit, log or validate. It gets the rarest
search term first, which the gateway has to find out; and it always counts, where the gateway knows
the total from a page that is not full.
"""

import asyncio
import re
import sys
from typing import Any, get_args
from uuid import UUID

import uvicorn
from litestar import Litestar, Response, get
from litestar.datastructures import State

from chassis.mongo.client import Raw, connect
from contracts.crm import Stage
from services.gateway.http.context import projection_of
from services.gateway.read_models.documents import SEARCH
from services.gateway.read_models.index_counts import count
from services.gateway.read_models.list_rows import Complete, complete_clients, complete_tasks
from services.gateway.read_models.schemas.clients import ListedClient
from services.gateway.read_models.schemas.followups import ListedTask
from tests.bench.seeded_views import DATABASE

LIMIT = 20
_TASK, _CLIENT = projection_of(ListedTask), projection_of(ListedClient)
# Fields that the store leaves out and the answer shows.
_NO_TASK: Raw = dict.fromkeys(_TASK) | {"flags": []}
_NO_CLIENT: Raw = dict.fromkeys(_CLIENT) | {"plan_paused": False}


@get("/api/tasks")
async def tasks(state: State, status: str) -> Response[list[Raw]]:
    """List the agent's follow-ups with the status."""
    where = {"agent_id": state.agent_id, "status": {"$in": [status]}}
    collection = state.database["tasks"]
    counting = count(collection, where | {"status": status})
    found = collection.find(where, _TASK).sort([("scheduled_for", 1), ("_id", 1)])
    return await _answer(state, counting, found, _NO_TASK, complete_tasks)


@get("/api/clients")
async def clients(state: State, q: str) -> Response[list[Raw]]:
    """Find the agent's clients by search terms, the rarest first."""
    begins = {"$and": [{"search": {"$regex": f"^{re.escape(word)}"}} for word in q.split()]}
    collection = state.database["clients"]
    counting = count(collection, {"agent_id": state.agent_id} | begins, hint=SEARCH)
    where = {"agent_id": state.agent_id, "stage": {"$in": list(get_args(Stage))}} | begins
    found = collection.find(where, _CLIENT, hint=SEARCH).sort([("created_at", -1), ("_id", -1)])
    return await _answer(state, counting, found, _NO_CLIENT, complete_clients)


async def _answer(
    state: State, counting: Any, found: Any, empty: Raw, complete: Complete
) -> Response[list[Raw]]:
    total, rows = await asyncio.gather(counting, found.limit(LIMIT).to_list())
    await complete(state.database, rows)
    shown = [empty | row for row in rows]
    return Response(shown, headers={"X-Total-Count": str(total)})


def main(port: str, uri: str, agent_id: str) -> None:
    """Serve with uvicorn's options of chassis.process.server."""

    def connected(app: Litestar) -> None:
        app.state.database = connect(uri)[DATABASE]

    app = Litestar(
        [tasks, clients],
        state=State({"agent_id": UUID(agent_id)}),
        on_startup=[connected],
        openapi_config=None,
        logging_config=None,
    )
    uvicorn.run(
        app,
        port=int(port),
        http="httptools",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
