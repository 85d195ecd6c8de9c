"""Lines and rates of the actors, and sizes with their forecast."""

from pathlib import Path
from typing import Any

from web.storage import Limits, Storage
from web.vitals import SAMPLES, Vitals


def actor(frames: int, progress: int) -> dict[str, Any]:
    figures = {"name": "capture-a", "cpu_percent": 2.0, "rss_bytes": 40, "progress": progress, "lag_s": 0.1}
    return figures | {"stats": {"frames": frames, "unacked": 3}}


def test_rates_are_differences_and_a_restart_gives_none() -> None:
    vitals = Vitals()
    vitals.hear([actor(100, 10)], 1000)
    now = vitals.hear([actor(150, 30)], 3000)["now"]["capture-a"]
    assert (now["rates"]["frames"], now["rates"]["turns"], now["gauges"]["unacked"]) == (25.0, 10.0, 3)
    assert "frames" not in vitals.hear([actor(5, 31)], 4000)["now"]["capture-a"]["rates"]


def test_lines_are_bounded_and_end_with_their_actor() -> None:
    vitals = Vitals()
    for number in range(300):
        shown = vitals.hear([actor(number, number)], number * 5000 + 5000)["samples"]
    assert len(shown["capture-a"]["rss"]) == SAMPLES
    assert vitals.hear([], 10**9)["samples"] == {}


def test_sizes_are_told_by_day_and_foretell_when_the_disk_is_full(tmp_path: Path) -> None:
    for day, size in (("2026-01-01", 86_400), ("2026-01-02", 43_200)):
        folder = tmp_path / "events_parquet" / "doc_type=trade" / f"date={day}"
        folder.mkdir(parents=True)
        (folder / "1-2.parquet").write_bytes(b"x" * size)
    storage = Storage(tmp_path)
    days = storage.days()
    assert [(day.date, day.files, day.bytes) for day in days] == [("2026-01-02", 1, 43_200), ("2026-01-01", 1, 86_400)]
    first_s = 1_767_225_600.0  # 2026-01-01 00:00 UTC
    told = storage.forecast(days, Limits(0, 14), first_s + 1.5 * 86_400, first_s)
    assert told.bytes_per_day == 86_400
    assert told.days_left == min(3650, told.free_bytes // 86_400)
    unknown = storage.forecast(days, Limits(0, 14), first_s + 10, first_s)
    assert (unknown.bytes_per_day, unknown.days_left) == (None, None)


def test_a_folder_that_is_no_day_is_passed_over(tmp_path: Path) -> None:
    for name in ("date=0000-foo", "date=2026-13-01", "date=20260102", "date=", "date=2026-01-02"):
        folder = tmp_path / "events_parquet" / "doc_type=trade" / name
        folder.mkdir(parents=True)
        (folder / "1-2.parquet").write_bytes(b"x")
    storage = Storage(tmp_path)
    days = storage.days()
    assert [day.date for day in days] == ["2026-01-02"]
    first_s = 1_767_225_600.0
    assert storage.forecast(days, Limits(0, 14), first_s + 2 * 86_400, first_s).bytes_per_day is not None
