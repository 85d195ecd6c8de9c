"""`/artifacts/`: files and lists of them, and nothing else, whatever the path says."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.broadcaster.stage import Stage, stage
from tests.broadcaster.test_monitor import get

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made:
        root = made.config.data_path / "artifacts"
        (root / "charts" / "deep").mkdir(parents=True)
        (root / "charts" / "index.html").write_text("<h1>charts</h1>")
        (root / "charts" / "draw.js").write_text("export const x = 1;")
        (root / "charts" / ".secret").write_text("secret")
        (root / "plain").mkdir()
        (root / "plain" / '<b>&".txt').write_text("odd name")
        (root / ".hidden").mkdir()
        (root / ".hidden" / "file").write_text("secret")
        (root / "plain" / "out").symlink_to(made.config.data_path / "journal")
        (root / "plain" / "passwd").symlink_to("/etc/passwd")
        (root / "plain" / "loop").symlink_to("loop")
        (root / "plain" / "page.html.gz").write_bytes(b"packed")
        (root / "plain" / os.fsdecode(b"no text \xff")).write_text("x")
        (root / "plain" / "alias").symlink_to(root / ".hidden" / "file")
        with made.broadcaster():
            yield made


def exact(house: Stage, path: str) -> tuple[int, bytes]:
    """Ask for the path as it stands, without a client that tidies it."""
    connection = HTTPConnection(urlsplit(house.endpoint("monitor")).netloc, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_directory_shows_its_index_and_a_file_has_its_kind(house: Stage) -> None:
    monitor = house.endpoint("monitor")
    status, body, headers = get(monitor + "/artifacts/charts/")
    assert (status, body) == (200, b"<h1>charts</h1>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert get(monitor + "/artifacts/charts/draw.js")[2]["Content-Type"].startswith("text/javascript")
    assert get(monitor + "/artifacts/plain/page.html.gz")[2]["Content-Type"] == "application/octet-stream"
    for path in ("/artifacts/charts", "/artifacts", "/monitor"):
        assert exact(house, path)[0] == 301
        assert get(monitor + path)[0] == 200


def test_lists_name_what_is_there_and_escape_it(house: Stage) -> None:
    listed = get(house.endpoint("monitor") + "/artifacts/")[1].decode()
    assert "charts/" in listed
    assert "hidden" not in listed
    listed = get(house.endpoint("monitor") + "/artifacts/plain/")[1].decode()
    assert "<b>" not in listed
    assert "%3Cb%3E%26%22.txt" in listed
    assert "no text" not in listed
    assert get(house.endpoint("monitor") + "/artifacts/plain/%3Cb%3E%26%22.txt")[1] == b"odd name"


@pytest.mark.parametrize(
    "path",
    [
        "/artifacts/../run/web_token",
        "/artifacts/..%2frun/web_token",
        "/artifacts/%2e%2e/%2e%2e/etc/passwd",
        "/artifacts/charts/..%5c..%5crun",
        "/artifacts//etc/passwd",
        "/artifacts/%2fetc/passwd",
        "/artifacts/charts/.secret",
        "/artifacts/.hidden/file",
        "/artifacts/plain/out/",
        "/artifacts/plain/passwd",
        "/artifacts/plain/alias",
        "/artifacts/plain/loop",
        "/artifacts/charts/%00",
        "/artifacts/" + "a/" * 2000,
        "/artifacts/%ff%fe",
        "/artifacts/nothing",
    ],
)
def test_no_path_leads_outside(house: Stage, path: str) -> None:
    status, body = exact(house, path)
    assert status in (404, 400)
    assert b"secret" not in body
    assert b"root:" not in body


def test_without_the_folder_it_says_so() -> None:
    with stage() as house, house.broadcaster():
        status, body = exact(house, "/artifacts/")
        assert status == 200
        assert b"Nothing here yet" in body
        status, body = exact(house, "/artifacts/x")
        assert status == 404
        assert json.loads(body)["error"]["code"] == "not_found"
