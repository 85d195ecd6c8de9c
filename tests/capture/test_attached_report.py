"""What a capture reports of itself, once a turn, bounded; and who opens the game's sockets but is not the site."""

import logging
from pathlib import Path

import pytest

from actors.capture.attached_report import STRANGERS_LOGGED, AttachedReport
from actors.capture.presence import STREAMS_TOLD, Presence
from actors.capture.same_site import GameSite
from actors.capture.socket_filter import SocketFilter
from actors.core.browser_file import AttachedFile, read_attached_file
from actors.core.messages import StreamOpened
from actors.pilot.actor import stranger_words

SITE = "https://www.game.example/play"


def report_in(tmp_path: Path) -> AttachedReport:
    report = AttachedReport(tmp_path, "capture-a", logging.getLogger("capture-a"), GameSite(lambda: SITE))
    report.attached = AttachedFile(pid=1, guid="G", since_us=1)
    return report


def test_the_file_is_written_when_something_changed_and_not_at_each_stream(tmp_path: Path) -> None:
    report, seen, sockets = report_in(tmp_path), Presence(""), SocketFilter()
    report.write(seen, sockets)
    assert read_attached_file(tmp_path, "capture-a") is None
    for number in range(5000):
        name = f"G/T/poll-{number}"
        seen.take(StreamOpened(0, 1, 1.0, name, "https://x/", "polling"))
        report.changed()
    assert read_attached_file(tmp_path, "capture-a") is None
    seen.take(StreamOpened(0, 1, 1.0, "G/T/9.1", "wss://x/", "websocket"))
    report.write(seen, sockets)
    file = read_attached_file(tmp_path, "capture-a")
    assert file is not None
    assert (file.sockets, len(file.streams), file.streams[0]) == (5001, STREAMS_TOLD, "G/T/9.1")


def test_who_opens_the_games_sockets_instead_of_the_site_is_logged_once_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report, seen, sockets = report_in(tmp_path), Presence(""), SocketFilter()
    for number in range(3 * STRANGERS_LOGGED):
        for again in range(2):
            sockets.refuse(f"G/T/{number}.{again}", f"https://{number}.example")
            report.look(sockets)
        report.write(seen, sockets)
        file = read_attached_file(tmp_path, "capture-a")
        assert file is not None
        assert file.stranger == f"https://{number}.example"
        for again in range(2):
            sockets.closed(f"G/T/{number}.{again}")
    assert len(caplog.messages) == STRANGERS_LOGGED
    assert all(SITE in message for message in caplog.messages)
    report.look(sockets)
    report.write(seen, sockets)
    file = read_attached_file(tmp_path, "capture-a")
    assert file is not None
    assert file.stranger == ""


def test_the_user_is_told_of_it_only_while_no_socket_counts() -> None:
    moved = AttachedFile(pid=1, guid="G", since_us=1, stranger="https://other.example")
    words = stranger_words([moved], SITE) or ""
    assert "https://other.example" in words
    assert SITE in words
    assert "site.url" in words
    seeing = AttachedFile(pid=1, guid="G", since_us=1, sockets=1)
    assert stranger_words([moved, seeing], SITE) is None
    assert stranger_words([AttachedFile(pid=1, guid="G", since_us=1)], SITE) is None
