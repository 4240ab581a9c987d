"""What of a folder is served, and as what."""

from pathlib import Path

import pytest

from services.gateway.http.site.pages import page_routes
from services.gateway.http.site.static_export import StaticExport, read_export
from tests.services.gateway.http.site.export_folder import CHUNK, TEXTS, make_export


@pytest.fixture
def export(tmp_path: Path) -> StaticExport:
    found = read_export(make_export(tmp_path))
    assert found
    return found


def test_every_file_has_one_address_and_a_page_that_of_its_folder(export: StaticExport) -> None:
    assert sorted(export.files) == sorted(
        {
            *("/", "/client/", "/clients/"),
            *("/index.txt", "/clients/__next.!KGFwcCk.__PAGE__.txt"),
            *(CHUNK, "/assets/style-2_fxnk36s8uq_.css"),
            *("/assets/text.woff2", "/favicon.svg", "/same.svg"),
            "/manifest.webmanifest",
        }
    )
    assert export.not_found
    assert export.not_found.plain.body == TEXTS["404.html"].encode()


def test_files_are_of_the_types_that_browsers_want(export: StaticExport) -> None:
    assert {path: file.media_type for path, file in export.files.items()} == {
        **dict.fromkeys(("/", "/client/", "/clients/"), "text/html"),
        **dict.fromkeys(("/index.txt", "/clients/__next.!KGFwcCk.__PAGE__.txt"), "text/plain"),
        CHUNK: "text/javascript",
        "/assets/style-2_fxnk36s8uq_.css": "text/css",
        "/assets/text.woff2": "font/woff2",
        **dict.fromkeys(("/favicon.svg", "/same.svg"), "image/svg+xml"),
        "/manifest.webmanifest": "application/manifest+json",
    }


def test_a_file_has_another_tag_in_each_coding_and_after_each_change(tmp_path: Path) -> None:
    folder = make_export(tmp_path)
    before = read_export(folder)
    assert before
    (folder / "index.html").write_text("<p>changed</p>")
    after = read_export(folder)
    assert after
    for export in (before, after):
        page = export.files["/"]
        assert list(page.compressed) == ["br", "gzip"]
        tags = {page.plain.etag, *(content.etag for content in page.compressed.values())}
        assert len(tags) == 3
        assert all(tag.startswith('"') for tag in tags)
    assert before.files["/"].plain.etag != after.files["/"].plain.etag
    assert before.files["/clients/"] == after.files["/clients/"]


def test_without_a_folder_of_pages_there_is_no_route(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert page_routes(None) == []
    assert page_routes(str(tmp_path / "none")) == []
    assert page_routes(str(tmp_path / "empty")) == []
    assert len(page_routes(str(make_export(tmp_path)))) == 1
