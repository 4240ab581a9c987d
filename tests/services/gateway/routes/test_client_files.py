"""Clients as files over HTTP: imported line by line, exported, and read back."""

import asyncio
import contextlib
import csv
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.chassis.waiting import until
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import person

CSV = {"content-type": "text/csv"}


def word() -> str:
    return f"w{uuid4().hex[:10]}"


async def imported(api: Api, text: str, **headers: str) -> dict[str, Any]:
    response = await api.http.post(
        "/api/clients/import", content=text.encode(), headers=CSV | headers
    )
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


async def exported(api: Api) -> list[dict[str, str]]:
    response = await api.http.get("/api/clients/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="clients.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def test_every_line_has_its_entry_and_what_is_imported_is_shown(api: Api) -> None:
    w = word()
    known = await api.add(email=f"known.{w}@mail.example.com")
    report = await imported(
        api,
        "First Name,Last Name,Email,Stage,Phone\n"
        f"Ann,{w},ann.{w}@mail.example.com,Hot Prospect,555-0101\n"
        "\n"
        f",,nowhere,Sphere,{'5' * 41}\n"
        f"Bob,{w},KNOWN.{w}@mail.example.com,,\n"
        f"Ann,Again,Ann.{w}@mail.example.com,,\n"
        f"Cid,{w},cid.{w}@mail.example.com,Closed Won,,,more\n",
    )
    lines = report.pop("lines")
    columns = [(column["title"], column["taken_for"]) for column in report.pop("columns")]
    assert columns[:2] == [("First Name", "first_name"), ("Last Name", "last_name")]
    counts = {"imported": 2, "updated": 0, "known": 1, "refused": 2, "pending": 0}
    assert report == counts | {"suppressed": 0, "dry_run": False}
    outcomes = [(line["line"], line["outcome"]) for line in lines]
    assert outcomes == [
        *((2, "imported"), (4, "refused"), (5, "known"), (6, "refused"), (7, "imported"))
    ]
    fields = [[error["field"] for error in line["errors"]] for line in lines]
    assert fields == [[], ["email"], [], ["email"], []]
    assert all(error["reason"] for line in lines for error in line["errors"])
    assert lines[2]["client_id"] == known
    assert lines[2]["differs"] == ["name"]
    assert [warning["field"] for warning in lines[4]["warnings"]] == ["line"]
    shown = (await api.http.get(f"/api/clients/{lines[0]['client_id']}")).json()
    assert shown["name"] == f"Ann {w}"
    assert (shown["stage"], shown["phone"]) == ("lead", "555-0101")


async def test_what_is_known_has_the_same_canonical_address(api: Api) -> None:
    w = word()
    sharp = await api.add(email=f"straße.{w}@mail.example.com")
    jo = await api.add(email=f"jo.{w}@xn--bcher-kva.example.com")
    report = await imported(
        api,
        f"name,email\nA,Straße.{w}@mail.example.com\nB,strasse.{w}@mail.example.com\n"
        f"C,JO.{w}@Bücher.example.com\n",
    )
    lines = [(line["outcome"], line["client_id"]) for line in report["lines"]]
    assert [lines[0], lines[2]] == [("known", sharp), ("known", jo)]
    assert (lines[1][0], report["refused"]) == ("imported", 0)


async def test_thousands_of_lines_are_shown_when_the_answer_comes(api: Api) -> None:
    w = word()
    rows = "".join(f"{w} {n},{w}.{n}@mail.example.com\n" for n in range(1_000))
    report = await imported(api, "name,email\n" + rows)
    assert (report["imported"], len(report["lines"])) == (1_000, 1_000)
    found = await api.http.get("/api/clients", params={"q": w})
    assert found.headers["x-total-count"] == "1000"
    again = await imported(api, "name,email\n" + rows)
    assert (again["imported"], again["known"]) == (0, 1_000)
    ids = [line["client_id"] for line in report["lines"]]
    assert [line["client_id"] for line in again["lines"]] == ids


async def form(api: Api, text: str, params: dict[str, str], **parts: str) -> dict[str, Any]:
    """Import a file in a form."""
    files = {"file": ("leads.csv", text.encode(), "text/csv")}
    answer = await api.http.post("/api/clients/import", files=files, data=parts, params=params)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def test_a_dry_run_tells_all_and_changes_nothing(api: Api) -> None:
    w = word()
    text = f"Wer;Post;Nein\n{w};{w}@mail.example.com;ja\n"
    mapping = json.dumps({"Wer": "name", "Post": "email", "Nein": "opt_out"})
    report = await form(api, text, {"dry_run": "true"}, mapping=mapping)
    assert report["dry_run"]
    assert (report["imported"], report["suppressed"]) == (1, 1)
    assert (await form(api, text, {}, mapping=mapping, dry_run="true"))["dry_run"]
    found = await api.http.get("/api/clients", params={"q": w})
    assert found.headers["x-total-count"] == "0"
    wrong = {"file": ("leads.csv", text.encode(), "text/csv")}
    for part in ({"mapping": "[]"}, {"mapping": '{"Wer": 1}'}):
        answer = await api.http.post("/api/clients/import", files=wrong, data=part)
        problem(answer, 422, "mapping")
    for name in ("dry_run", "on_known"):
        answer = await api.http.post("/api/clients/import", files=wrong, data={name: "perhaps"})
        problem(answer, 422, name)


async def test_a_charset_may_be_named_in_a_form(api: Api) -> None:
    w = word()
    files = {"file": ("l.csv", f"name,email\nЖюли,{w}@mail.example.com\n".encode("cp1251"))}
    path = "/api/clients/import"
    assert "save it as UTF-8" in problem(await api.http.post(path, files=files), 422, "file")
    answer = await api.http.post(path, files=files, data={"charset": "windows-1251"})
    client_id = answer.json()["lines"][0]["client_id"]
    assert (await api.http.get(f"/api/clients/{client_id}")).json()["name"] == "Жюли"


async def test_what_the_file_says_otherwise_of_a_known_client_is_told_or_changed(api: Api) -> None:
    w = word()
    id_ = await api.add(name="Ann", email=f"{w}@mail.example.com", custom_fields={"a": 1})
    text = f"name,email,phone,stage,b\nAnn,{w}@mail.example.com,555-0199,Pending,2\n"
    [line] = (await imported(api, text))["lines"]
    assert line["outcome"] == "known"
    assert line["differs"] == ["custom_fields", "phone", "stage"]
    report = await form(api, text, {"on_known": "update"})
    assert (report["updated"], report["lines"][0]["client_id"]) == (1, id_)
    client = (await api.http.get(f"/api/clients/{id_}")).json()
    assert (client["phone"], client["stage"]) == ("555-0199", "under_contract")
    assert client["custom_fields"] == {"a": 1, "b": "2"}
    assert (await form(api, text, {}, on_known="update"))["known"] == 1


async def test_what_only_the_data_model_refuses_is_told_of_its_line(api: Api) -> None:
    deep = '"{""a"": ' + "[" * 20 + "]" * 20 + '}"'
    report = await imported(
        api, f"name,email,custom_fields\nAnn,{word()}@mail.example.com,{deep}\n"
    )
    [line] = report["lines"]
    assert (line["outcome"], line["errors"][0]["field"]) == ("refused", "custom_fields")


async def test_a_file_may_come_as_a_form(api: Api) -> None:
    w = word()
    text = f"name,email\n{w},{w}@mail.example.com\n".encode("utf-16")
    files = {"file": ("leads.csv", text, "text/csv")}
    response = await api.http.post("/api/clients/import", files=files)
    assert response.json()["imported"] == 1, response.text
    two = {"a": files["file"], "b": files["file"]}
    problem(await api.http.post("/api/clients/import", files=two), 422, "file")


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        (b"", {}, "empty"),
        (b"\n\n", {}, "empty"),
        (b"name,phone\nAnn,1\n", {}, "email"),
        (b"Ann,ann@example.com\n", {}, "no column"),
        (b"name,email\n\xff,a@example.com\n", {"content-type": "text/csv; charset=utf-8"}, "utf-8"),
        (b"name,email\n\x81,a@example.com\n", {}, "save it as UTF-8"),
        ("name,email\nЖюли,a@example.com\n".encode("cp1251"), {}, "save it as UTF-8"),
        (b"name,email\n" + b"x,y\n" * 20_001, {}, "more than 20000 lines"),
        (b"name,email\n" + b"\n" * 200_001, {}, "line breaks"),
    ],
)
async def test_a_file_that_is_no_use_is_refused_as_a_whole(
    api: Api, body: bytes, headers: dict[str, str], told: str
) -> None:
    response = await api.http.post("/api/clients/import", content=body, headers=CSV | headers)
    assert told in problem(response, 422, "file")


async def test_a_file_too_large_or_of_another_type_is_refused(api: Api) -> None:
    large = b"name,email\n" + b"x" * (10 * 1024 * 1024)
    problem(await api.http.post("/api/clients/import", content=large, headers=CSV), 413)
    problem(await api.http.post("/api/clients/import", json={"name": "Ann"}), 415)


async def test_an_export_is_read_back_as_it_was(api: Api) -> None:
    w = word()
    whole = {
        "name": f"=cmd() Zoë {w}",
        "email": f"{w}.1@mail.example.com",
        "phone": "+1 (555) 010-0100",
        "property_address": '@12 "Elm" Street, Springfield',
        "property_type": "land",
        "stage": "under_contract",
        "notes": "-1+1\nsecond; line, 'quoted'\n=x;=y",
        "custom_fields": {"budget": 450000, "=x": ["+1", None], "loan": {"by": "'=y", "ok": True}},
        "greeting": "=Zoë",
        "language": "fr-CA",
        "time_zone": "America/Toronto",
        "source": "=Zillow",
        "lead_since": "2019-05-31",
    }
    plain = {"name": f"'=x {w}", "email": f"{w}.2@mail.example.com"}
    before = [await api.add(**fields) for fields in (whole, plain)]
    rows = [row for row in await exported(api) if w in row["name"]]
    assert [row["name"] for row in rows] == [f"'=cmd() Zoë {w}", f"''=x {w}"]
    assert rows[0]["phone"] == whole["phone"]
    assert rows[0]["notes"] == "'-1+1\nsecond; line, 'quoted'\n'=x;'=y"
    shown = [(await api.http.get(f"/api/clients/{id_}")).json() for id_ in before]
    for id_ in before:
        assert (await api.http.delete(f"/api/clients/{id_}")).is_success
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    report = await imported(api, text.getvalue())
    assert (report["imported"], report["refused"]) == (2, 0), report
    for line, old in zip(report["lines"], shown, strict=True):
        new = (await api.http.get(f"/api/clients/{line['client_id']}")).json()
        own = ("_id", "created_at", "updated_at")
        assert {k: v for k, v in new.items() if k not in own} == {
            k: v for k, v in old.items() if k not in own
        }


async def test_an_export_holds_every_client_once(api: Api) -> None:
    w = word()
    rows = "".join(f"{w} {n},{w}.{n}@mail.example.com\n" for n in range(1_200))
    await imported(api, "name,email\n" + rows)
    names = [row["name"] for row in await exported(api) if w in row["name"]]
    assert sorted(names) == sorted(f"{w} {n}" for n in range(1_200))
    total = (await api.http.get("/api/clients?limit=1")).headers["x-total-count"]
    assert len(await exported(api)) == int(total)


async def test_a_file_that_comes_again_under_its_key_is_imported_once(api: Api) -> None:
    w = word()
    text = f"name,email\n{w},{w}@mail.example.com\n"
    key = {"Idempotency-Key": w}
    first, again = [await imported(api, text, **key) for _ in range(2)]
    assert (first["imported"], again) == (1, first)
    files = {"file": ("leads.csv", text.encode(), "text/csv")}
    headers = {"Idempotency-Key": f"{w}-form"}
    response = await api.http.post("/api/clients/import", files=files, headers=headers)
    assert response.json()["lines"][0]["client_id"] == first["lines"][0]["client_id"]


@pytest.mark.parametrize("charset", ["martian", "punycode", "idna", "utf-7", "rot13"])
async def test_a_charset_that_spreadsheets_do_not_write_is_refused(api: Api, charset: str) -> None:
    # Python knows some of them, and would read this for many minutes.
    body = b"name,email\n" + b"n" * 4_000_000 + b"-" + b"a" * 1_000_000
    headers = {"content-type": f"text/csv; charset={charset}"}
    answer = await api.http.post("/api/clients/import", content=body, headers=headers)
    assert charset in problem(answer, 422, "file")


@pytest.mark.parametrize("charset", ["utf-8", "martian", "punycode"])
async def test_of_a_form_only_the_file_is_read(api: Api, charset: str) -> None:
    w = word()
    note = b"\x81\xff" + b"n" * 1_000_000 + b"-" + b"a" * 100_000
    parts = [
        (
            b'content-disposition: form-data; name="note"\r\n'
            b"content-type: text/plain; charset=" + charset.encode(),
            note,
        ),
        (
            b'content-disposition: form-data; name="file"; filename="leads.csv"',
            f"name,email\n{w},{w}@mail.example.com\n".encode(),
        ),
    ]
    body = b"".join(b"--b\r\n" + head + b"\r\n\r\n" + part + b"\r\n" for head, part in parts)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    path = "/api/clients/import"
    answer = await api.http.post(path, content=body + b"--b--\r\n", headers=headers)
    assert answer.json()["imported"] == 1, answer.text
    for broken in (body, b"", body.replace(b'filename="leads.csv"', b"x")):
        problem(await api.http.post(path, content=broken, headers=headers), 422, "file")
    without = {"content-type": "multipart/form-data"}
    problem(await api.http.post(path, content=body, headers=without), 422, "file")


def children(pid: int) -> set[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return {int(child) for text in lists for child in text.split()}


def csv_workers() -> set[int]:
    """Return the processes of gateways of this run that read files."""
    found = set()
    for gateway in children(os.getpid()):
        for worker in children(gateway):
            with contextlib.suppress(OSError):
                if b"leads.worker" in Path(f"/proc/{worker}/cmdline").read_bytes():
                    found.add(worker)
    return found


def signal_workers(number: signal.Signals) -> set[int]:
    """Signal every worker there is; return which."""
    workers = csv_workers()
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, number)
    return workers


async def without_workers() -> None:
    """Let the next file need a new worker, which takes it a while to start."""
    signal_workers(signal.SIGKILL)
    await until(lambda: not csv_workers())


async def post_file(http: httpx2.AsyncClient) -> httpx2.Response:
    w = word()
    text = f"name,email\n{w},{w}@mail.example.com\n"
    return await http.post("/api/clients/import", content=text.encode(), headers=CSV)


async def test_a_file_whose_worker_is_killed_is_answered_503_and_the_next_is_read(api: Api) -> None:
    await without_workers()
    posted = asyncio.create_task(post_file(api.http))
    await until(lambda: bool(signal_workers(signal.SIGKILL)) or posted.done())
    answer = await posted
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert (await post_file(api.http)).json()["imported"] == 1


async def test_who_hangs_up_takes_the_worker_along_and_may_come_again(api: Api) -> None:
    await without_workers()
    posted = asyncio.create_task(post_file(api.http))
    await until(lambda: bool(signal_workers(signal.SIGSTOP)) or posted.done())
    [stopped] = csv_workers()
    problem(await post_file(api.http), 429)
    posted.cancel()
    await until(lambda: stopped not in csv_workers())
    assert (await post_file(api.http)).json()["imported"] == 1


async def test_an_agent_imports_one_file_at_a_time_and_others_go_on(api: Api) -> None:
    w = word()
    begun, sent = asyncio.Event(), asyncio.Event()

    async def file() -> AsyncIterator[bytes]:
        yield b"name,email\n"
        begun.set()
        await sent.wait()
        yield f"{w},{w}@mail.example.com\n".encode()

    def begin() -> asyncio.Task[httpx2.Response]:
        return asyncio.create_task(
            api.http.post("/api/clients/import", content=file(), headers=CSV)
        )

    first = begin()
    answers: list[httpx2.Response] = []

    async def refused() -> bool:
        nonlocal first
        if first.done():
            # The other file came first.
            begun.clear()
            first = begin()
        await begun.wait()
        answers.append(await post_file(api.http))
        return answers[-1].status_code != 200

    await until(refused)
    problem(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) > 0
    async with person(api.http.base_url) as other:
        assert (await post_file(other.http)).json()["imported"] == 1
    sent.set()
    assert (await first).json()["imported"] == 1
    assert (await post_file(api.http)).json()["imported"] == 1
