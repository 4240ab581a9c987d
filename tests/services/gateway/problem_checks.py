"""Assertions on problem details (RFC 9457)."""

import httpx2

from services.gateway.http.problem_types import BY_SLUG


def problem(response: httpx2.Response, status: int, *fields: str) -> str:
    """Assert that the response is this problem with these fields; return its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code'].replace('_', '-')}"
    assert BY_SLUG[body["type"].removeprefix("/problems/")].status == status
    assert body["title"]
    assert body["detail"]
    assert sorted(error["field"] for error in body["errors"]) == sorted(fields)
    assert all(error["reason"] for error in body["errors"])
    return str(body["detail"])
