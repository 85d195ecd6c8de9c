"""Reading cannot write: no statement changes a byte, none reads elsewhere, none takes more than its bounds."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from supervisor.data_query import Bounds, ReadOnlyDatabase, Refused
from supervisor.foreign_files import odd_files
from supervisor.landlock import landlock_abi
from supervisor.query_process import HEAD, Order, Wanted, Work
from supervisor.recorded_dataset import RecordedFiles
from tests.recorded import Session, write
from tests.supervisor.hostile_sql import HUNGRY, READING_ELSEWHERE, WRITING
from tests.supervisor.test_cli import vectra
from tests.trees import fingerprint

SMALL = Bounds(
    time_s=4.0, answer_bytes=50_000_000, value_bytes=10_000_000, memory_bytes=200_000_000, address_bytes=900_000_000
)
CODE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read-only")
    session = Session()
    write(folder, [*session.start(), *session.rounds(1)])
    (folder / "secret.txt").write_text("the-secret\n")
    (folder / "secret.csv").write_text("a,b\nthe-secret,2\n")
    (folder / "events_parquet" / "link.csv").symlink_to(folder / "secret.csv")
    return folder


@pytest.fixture(scope="module")
def database(data_dir: Path) -> Iterator[ReadOnlyDatabase]:
    with ReadOnlyDatabase(data_dir, SMALL) as opened:
        yield opened


def filled(sql: str, data_dir: Path) -> str:
    one = min((data_dir / "events_parquet" / "doc_type=trade").glob("date=*/*.parquet"))
    return sql.format(D=data_dir, F=one) if "{" in sql else sql


def test_there_are_more_than_sixty_statements_to_try() -> None:
    assert len({*WRITING, *READING_ELSEWHERE}) > 60


@pytest.mark.parametrize("sql", [*WRITING, *READING_ELSEWHERE])
def test_a_hostile_statement_is_refused_and_nothing_changes(
    database: ReadOnlyDatabase, data_dir: Path, sql: str
) -> None:
    before = fingerprint(data_dir)
    with pytest.raises(Refused) as refused:
        database.ask(filled(sql, data_dir))
    assert fingerprint(data_dir) == before
    assert "Traceback" not in str(refused.value)
    assert "the-secret" not in str(refused.value)
    assert database.ask("SELECT count(*) AS n FROM trade").to_pylist()[0]["n"] > 0


@pytest.mark.parametrize("sql", HUNGRY, ids=lambda sql: sql[:60])
def test_a_hungry_statement_ends_in_a_sentence_in_time_and_memory(
    database: ReadOnlyDatabase, data_dir: Path, sql: str
) -> None:
    began_s, largest = time.monotonic(), 0
    stream, words = database.stream(sql), ""
    try:
        for _ in stream:
            largest = max([largest, *(child.memory_info().rss for child in psutil.Process().children())])
    except Refused as refused:
        words = str(refused)
    assert time.monotonic() - began_s < 30
    assert largest < SMALL.address_bytes + 300_000_000
    assert 20 < len(words) < 2000
    assert database.ask("SELECT 1 AS n").to_pylist() == [{"n": 1}]


def test_the_case_of_explain_through_the_command(data_dir: Path, tmp_path: Path) -> None:
    before = fingerprint(data_dir)
    sql = filled("EXPLAIN ANALYZE COPY (SELECT 42 AS x) TO '{F}' (FORMAT parquet)", data_dir)
    done = vectra(tmp_path, "sql", sql, "--data-dir", str(data_dir))
    assert (done.returncode, done.stdout) == (1, "")
    assert "must be EXPLAIN SELECT" in done.stderr
    assert fingerprint(data_dir) == before


CONFINED = """
import errno, fcntl, os, resource, signal, socket, struct, subprocess, sys
from pathlib import Path
import duckdb
data = Path(sys.argv[1])
loose = duckdb.connect(config={"threads": 1, "async_threads": 0})  # a database without the first fence
from supervisor.sandbox import confine
confine([data / "events_parquet"], memory_bytes=1_000_000_000)
victim = min((data / "events_parquet").rglob("*.parquet"))
opened = os.open(victim, os.O_RDONLY)
def attempts():
    yield lambda: open(victim, "wb")
    yield lambda: open(victim, "ab")
    yield lambda: open(victim, "r+b")
    yield lambda: open(data / "new", "x")
    yield lambda: os.open(data / "events_parquet" / "new", os.O_RDONLY | os.O_CREAT)
    yield lambda: os.truncate(victim, 0)
    yield lambda: os.unlink(victim)
    yield lambda: os.rename(victim, data / "other")
    yield lambda: os.link(victim, data / "other")
    yield lambda: os.symlink(victim, data / "other")
    yield lambda: os.mkdir(data / "folder")
    yield lambda: os.rmdir(victim.parent)
    yield lambda: os.mkfifo(data / "pipe")
    yield lambda: os.chmod(victim, 0o777)
    yield lambda: os.chown(victim, os.getuid(), os.getgid())
    yield lambda: os.utime(victim)
    yield lambda: os.setxattr(victim, "user.x", b"y")
    yield lambda: os.mkfifo(data / "pipe")
    yield lambda: socket.socket()
    yield lambda: socket.socket(socket.AF_UNIX)
    yield lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    yield lambda: os.kill(os.getppid(), 0)
    yield lambda: signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)
    yield lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))
    yield lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 0)
    yield lambda: os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))
    yield lambda: fcntl.ioctl(opened, 0x40086602, struct.pack("l", 0x80))  # FS_IOC_SETFLAGS, NOATIME
    yield lambda: os.fork()
    yield lambda: os.execv("/bin/true", ["true"])
    yield lambda: subprocess.run(["/bin/true"])
    yield lambda: loose.execute(f"COPY (SELECT 42 AS x) TO '{victim}' (FORMAT parquet)")
    yield lambda: loose.execute(f"EXPLAIN ANALYZE COPY (SELECT 42 AS x) TO '{data}/new.csv'")
    yield lambda: loose.execute(f"ATTACH '{data}/new.db'")
    if LANDLOCK:
        yield lambda: open("/etc/passwd")
        yield lambda: open(data / "secret.txt")
        yield lambda: open(data / "events_parquet" / "link.csv")
        yield lambda: loose.execute("FROM read_text('/etc/passwd')").fetchall()
done = []
for number, attempt in enumerate(attempts()):
    try:
        attempt()
        done.append(number)
    except (OSError, duckdb.Error):
        pass
assert victim.read_bytes()[:4] == b"PAR1"
print("succeeded:", done)
"""


def test_the_second_fence_holds_without_the_first(data_dir: Path) -> None:
    before = fingerprint(data_dir)
    script = CONFINED.replace("LANDLOCK", str(landlock_abi() > 0))
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(data_dir)], capture_output=True, text=True,
        env={"PYTHONPATH": str(CODE)}, timeout=60, check=False,
    )  # fmt: skip
    assert "succeeded: []\n" in done.stdout, done.stderr[-2000:]
    assert fingerprint(data_dir) == before


def test_a_process_that_could_not_be_confined_answers_nothing(data_dir: Path) -> None:
    script = (
        "import threading\nfrom pathlib import Path\nfrom supervisor.sandbox import confine\n"
        "held = threading.Event()\nthreading.Thread(target=held.wait).start()\n"
        "try:\n    confine([Path('/')], memory_bytes=10**9)\n"
        "except RuntimeError as error:\n    print(error)\nheld.set()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, env={"PYTHONPATH": str(CODE)}, check=False
    )
    assert "has 2 threads, must be 1" in done.stdout


def test_the_fence_around_system_calls_keeps_from_other_processes_by_itself() -> None:
    script = (
        "import ctypes, os\nfrom supervisor import landlock, seccomp\nlandlock.no_new_privileges()\n"
        "assert seccomp.refuse_writing_calls()\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "for pid in (os.getppid(), os.getpid()):\n    print(libc.tgkill(pid, pid, 0), ctypes.get_errno())\n"
        "os.sched_setaffinity(0, os.sched_getaffinity(0))\nos.abort()\n"
    )
    done = subprocess.run(
        [sys.executable, "-u", "-P", "-c", script], capture_output=True, text=True, env={"PYTHONPATH": str(CODE)},
        check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["-1 1", "0 1"], done.stderr
    assert done.returncode == -signal.SIGABRT


def test_a_pipe_among_the_recorded_files_is_named_and_never_opened(tmp_path: Path) -> None:
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    count = "SELECT count(*) AS n FROM game_tick"
    with ReadOnlyDatabase(tmp_path) as database:
        rows = database.ask(count).to_pylist()
    folder = next((tmp_path / "events_parquet" / "doc_type=game_tick").glob("date=*"))
    (folder.parent / "date=2025-01-01").touch()
    pipe = folder / f"{1:016d}-{2:016d}.parquet"
    os.mkfifo(pipe)
    with ReadOnlyDatabase(tmp_path, Bounds(time_s=20)) as database:
        assert database.ask(count).to_pylist() == rows
        assert database.left_out == {str(pipe): "it is no regular file"}
    assert odd_files(tmp_path) == {"damaged": [pipe]}


@pytest.mark.parametrize("keep", [0, 100, -40], ids=["empty", "torn", "no footer"])
def test_a_damaged_file_is_named_and_the_others_answer(tmp_path: Path, keep: int) -> None:
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    files = sorted((tmp_path / "events_parquet" / "doc_type=game_tick").glob("date=*/*.parquet"))
    rows = sum(pq.read_metadata(path).num_rows for path in files[1:])
    files[0].write_bytes(files[0].read_bytes()[:keep])
    with ReadOnlyDatabase(tmp_path) as database:
        assert database.ask("SELECT count(*) AS n FROM game_tick").to_pylist() == [{"n": rows}]
        assert list(database.left_out) == [str(files[0])]
    done = vectra(tmp_path, "sql", "--json", "SELECT count(*) AS n FROM game_tick", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, f'{{"n":{rows}}}\n')
    assert f"{files[0]} cannot be read: " in done.stderr
    judged = vectra(tmp_path, "verify", "--data-dir", str(tmp_path))
    assert judged.returncode == 1
    assert f"{files[0]} cannot be read: " in judged.stderr


def test_damage_in_the_middle_of_a_file_is_found_too(tmp_path: Path) -> None:
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    files = sorted((tmp_path / "events_parquet" / "doc_type=ws_event").glob("date=*/*.parquet"))
    rows = sum(pq.read_metadata(path).num_rows for path in files[1:])
    content = bytearray(files[0].read_bytes())
    content[200 : len(content) // 2] = bytes(len(content) // 2 - 200)
    files[0].write_bytes(content)
    with ReadOnlyDatabase(tmp_path) as database:
        found = database.ask("SELECT count(raw) AS n, sum(length(raw)) > 0 AS some FROM ws_event").to_pylist()
        assert found == [{"n": rows, "some": True}]
        assert list(database.left_out) == [str(files[0])]


def test_a_link_to_nothing_is_left_out_and_named(tmp_path: Path) -> None:
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    one = min((tmp_path / "events_parquet" / "doc_type=trade").glob("date=*/*.parquet"))
    link = one.with_name("0000000000000001-0000000000000002.parquet")
    link.symlink_to(tmp_path / "nowhere")
    with ReadOnlyDatabase(tmp_path) as database:
        assert database.ask("SELECT count(*) > 0 AS some FROM trade").to_pylist() == [{"some": True}]
        assert database.left_out == {str(link): "it is a link to nothing"}


def test_a_question_during_a_compaction_is_asked_again_by_itself(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings: list[str] = []
    listed = RecordedFiles.files

    def swapped_once(self: RecordedFiles) -> Iterator[tuple[Path, str]]:
        listings.append(self.doc_type)
        if len(listings) == 1:  # the folder was listed, and exchanged before the file was opened
            yield data_dir / "events_parquet" / "0-1.parquet", "2026-01-01"
        yield from listed(self)

    monkeypatch.setattr(RecordedFiles, "files", swapped_once)
    order = Order(
        parent=0, events_dir=str(data_dir / "events_parquet"), memory_bytes=10**9, address_bytes=0, value_bytes=10**6,
        threads=1,
    )  # fmt: skip
    out = io.BytesIO()
    Work(order).answer(Wanted(sql="SELECT count(*) FROM trade"), out)
    out.seek(0)
    kinds = []
    while head := out.read(HEAD.size):
        kind, size = HEAD.unpack(head)
        kinds.append(kind)
        out.seek(size, io.SEEK_CUR)
    assert (kinds, listings) == ([b"B", b"B", b"D"], ["trade", "trade"])


def test_an_answer_that_is_not_read_to_its_end_does_not_disturb_the_next(database: ReadOnlyDatabase) -> None:
    stream = database.stream("SELECT range AS n FROM range(10000000)")
    assert next(stream).num_rows == 0
    assert database.ask("SELECT 2 AS n").to_pylist() == [{"n": 2}]


LOOKING = (
    ("sql", "SELECT 1"), ("sql", "--views"), ("verify",), ("doctor",), ("check",), ("status",), ("status", "--json"),
    ("logs",), ("journal", "info"), ("journal", "verify"), ("journal", "dump", "-n", "5"), ("events",),
    ("record", "status"), ("sql", "--csv", "FROM ticks"), ("sql", "--json", "FROM nothing"),
)  # fmt: skip


@pytest.mark.system
@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_a_command_that_only_looks_changes_nothing(data_dir: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "home").mkdir()
    data_before, place_before = fingerprint(data_dir), fingerprint(tmp_path / "home")
    done = vectra(
        tmp_path / "home", *command, "--data-dir", str(data_dir), "--set", f"runtime_dir={tmp_path / 'home' / 'run'}"
    )
    assert "Traceback" not in done.stderr
    assert fingerprint(data_dir) == data_before
    assert fingerprint(tmp_path / "home") == place_before
