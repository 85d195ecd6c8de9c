"""What status says, made from figures."""

import os
from pathlib import Path

from actors.core.clock import now_us
from actors.core.endpoints import publish
from supervisor.child import Child, LastExit
from supervisor.figures import ENDPOINTS, all_endpoints, journal_figures
from supervisor.procfs import cpu_s, kill_exactly, rss_bytes, start_ticks
from supervisor.spec import ChildSpec
from supervisor.status import Processor
from supervisor.words import duration, exit_words


def test_the_journals_figures_become_the_contracts() -> None:
    figures = journal_figures(
        {
            "seq": 512, "bytes": 9, "unacked": 1, "recording_on": True, "recording_since": 7, "gaps": 2,
            "gap_seconds": 0.5, "connected": True, "source_url": "ws://x", "last_frame_us": now_us() - 2_000_000,
        }
    )  # fmt: skip
    assert figures["recording"] == {"on": True, "since": 7}
    assert figures["journal"] == {"seq": 512, "bytes": 9, "unacked": 1}
    assert figures["gaps"] == {"count": 2, "seconds": 0.5}
    assert (figures["source"]["connected"], figures["source"]["url"]) == (True, "ws://x")
    assert 2.0 <= figures["source"]["last_frame_age_s"] < 3.0
    assert journal_figures({"last_frame_us": now_us() + 10_000_000})["source"]["last_frame_age_s"] == 0


def test_endpoints_are_all_there_null_where_nothing_is_served(tmp_path: Path) -> None:
    publish(tmp_path, "feed", "ws://127.0.0.1:9/feed")
    urls = all_endpoints(tmp_path)
    assert list(urls) == list(ENDPOINTS)
    assert urls["feed"] == "ws://127.0.0.1:9/feed"
    assert urls["web"] is None


def test_the_processor_share_is_of_the_time_since_the_last_question() -> None:
    processor, pid = Processor(), os.getpid()
    used_s = cpu_s(pid)
    assert used_s is not None
    first = processor.percent(pid, 0.0, 100.0)
    assert first is not None
    assert abs(first - used_s) <= 1.0
    assert processor.percent(pid, 0.0, 100.1) == first
    later = processor.percent(pid, 0.0, 1e6)
    assert later is not None
    assert later < first or first == 0
    assert processor.percent(0x7FFFFFFF, 0.0, 1.0) is None


def test_a_process_is_named_by_pid_and_start_time_together() -> None:
    ticks = start_ticks(os.getpid())
    assert ticks is not None
    assert kill_exactly(os.getpid(), ticks + 1) is None  # or this test had ended here
    assert kill_exactly(0x7FFFFFFF, 0) is None
    assert (rss_bytes(os.getpid()) or 0) > 1_000_000
    assert rss_bytes(0x7FFFFFFF) is None


def test_reasons_are_plain_words() -> None:
    child = Child(ChildSpec(id="a", start="m:f", intensity=0))
    assert child.reason(0.0) == "is not running"
    child.phase = "starting"
    assert child.reason(3.0) == "started 3.0 s ago, has not yet said that it is ready"
    child.said_ready(3.0)
    assert child.reason(3.0) is None
    child.ended(LastExit(-11, 0, ["traceback", "the cause", ""]), 4.0)
    delay_s = child.history.died(4.0, 3.0, 0.5).delay_s
    child.at(4.0 + delay_s, lambda now_s: None)
    child.phase = "waiting"
    assert child.state == "crash-looping"
    assert child.reason(4.0) == (
        "died once, last it was killed by SIGSEGV; next try in 1.0 s; its last words: the cause"
    )


def test_exits_and_spans_in_words() -> None:
    assert [exit_words(code) for code in (0, 3, -9, -64, None)] == [
        "ended", "ended with exit code 3", "was killed by SIGKILL", "was killed by SIGRTMAX",
        "ended together with the fork server",
    ]  # fmt: skip
    assert [duration(seconds) for seconds in (0.04, 9.96, 12, 61, 3_700, 200_000)] == [
        "0.0 s", "10.0 s", "12 s", "1 min", "1 h 1 min", "2 d 7 h",
    ]  # fmt: skip
