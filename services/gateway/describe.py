"""Writes docs/openapi.json: `python -m services.gateway.describe`."""

import json
from pathlib import Path
from typing import Any

from litestar.serialization import decode_json, encode_json

from services.gateway.app import application
from services.gateway.http.openapi.document import completed, markers_of
from services.gateway.main import build
from services.gateway.settings import GatewaySettings

OPENAPI = Path(__file__).parents[2] / "docs/openapi.json"


def document() -> Any:
    """Return what a gateway serves at /schema; none has to run."""
    settings = GatewaySettings(
        kafka_bootstrap_servers="nowhere:1",
        mongodb_uri="mongodb://nowhere",
        token_keys=f"nowhere:{'-' * 32}",
        unsubscribe_keys=f"nowhere:{'-' * 32}",
    )
    app = application(build(settings), settings)
    return decode_json(encode_json(completed(app.openapi_schema.to_schema(), markers_of(app))))


def text() -> str:
    """Return the file's content."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    OPENAPI.write_text(text())
