"""Long work with progress and cancel: exports, in a process each, and compaction, by the writer.

In: orders of the API. Out: jobs, whose results lie in `<data dir>/exports/<id>/` until they are deleted or 20 newer
ones exist. A restarted control room finds its jobs again; what was under way is called interrupted, and what it had
written is removed. What lies there and bears no mark of ours (`actors.core.export_folder`) is left alone. Never holds
up the event loop: the work is done elsewhere.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from actors.core import export_folder
from actors.core.files import private_dir, replace_file
from actors.rugs.schema import DOC_TYPES
from web.errors import Refused
from web.export import Order, Step

KEPT = 20
AT_ONCE = 2
_log = logging.getLogger("web")
State = Literal["running", "done", "failed", "cancelled", "interrupted"]


class Job(Struct, kw_only=True):
    """One piece of long work; times are Unix milliseconds."""

    id: str
    kind: Literal["export", "compaction"]
    title: str
    state: State = "running"
    created: int
    ended: int | None = None
    done: int = 0
    total: int = 0
    rows: int = 0
    what: str = ""  # at the moment
    error: str | None = None
    file: str | None = None
    size: int | None = None


class Jobs:
    """All jobs of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / "exports"
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_closing = False
        self._load()

    def all(self) -> list[Job]:
        """Return every job, newest first."""
        return sorted(self._jobs.values(), key=lambda job: (-job.created, job.id))

    def get(self, job_id: str) -> Job:
        """Return a job, or refuse with 404."""
        job = self._jobs.get(job_id)
        if job is None:
            raise Refused(404, "unknown_job", "There is no such job here; it may have been deleted.")
        return job

    def path(self, job: Job) -> Path:
        """Return a finished job's file, or refuse with 404."""
        path = self._folder / job.id / (job.file or "")
        if job.state != "done" or job.file is None or not path.is_file():
            raise Refused(404, "no_file", f"This job has no file: it is {job.state}.")
        return path

    def export(
        self, title: str, name: str, form: str, doc_types: list[str], days: list[str], game_id: str | None
    ) -> Job:
        """Begin an export; refuses with 409 while two are running."""
        if sum(job.kind == "export" and job.state == "running" for job in self._jobs.values()) >= AT_ONCE:
            raise Refused(409, "too_many_jobs", f"{AT_ONCE} exports are running. Wait for one, or cancel it.")
        job = self._new("export", title)
        order = Order(
            parent=os.getpid(), root=str(self._data_dir / "events_parquet"), folder=str(self._folder / job.id),
            name=name, format=form, doc_types=doc_types, days=days, game_id=game_id,
        )  # fmt: skip
        self._begin(job, self._export(job, order))
        return job

    def add(self, kind: Literal["compaction"], title: str) -> Job:
        """Return a new job whose work is done by another; its caller tells how it fares."""
        if any(job.kind == kind and job.state == "running" for job in self._jobs.values()):
            raise Refused(409, "too_many_jobs", f"A {kind} is running already.")
        return self._new(kind, title)

    def follow(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Run what tells of a job; its end is the job's."""
        self._begin(job, work)

    async def cancel(self, job: Job) -> None:
        """End a running job; what it wrote is removed."""
        task = self._tasks.get(job.id)
        if job.state != "running" or task is None:
            raise Refused(409, "not_running", f"This job is {job.state}.")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def delete(self, job: Job) -> None:
        """Forget a job and remove its file."""
        if job.state == "running":
            await self.cancel(job)
        self._jobs.pop(job.id, None)
        await asyncio.to_thread(_remove, self._folder / job.id)

    async def close(self) -> None:
        """End what is running; the next control room tells that it was interrupted."""
        self._is_closing = True
        for job in self.all():
            if job.state == "running" and job.id in self._tasks:
                await self.cancel(job)

    # How a job lives.

    def _new(self, kind: Literal["export", "compaction"], title: str) -> Job:
        job = Job(id=secrets.token_hex(8), kind=kind, title=title, created=time.time_ns() // 1_000_000)
        self._jobs[job.id] = job
        for old in self.all()[KEPT:]:
            if old.state != "running":
                self._jobs.pop(old.id)
                _remove(self._folder / old.id)
        return job

    def _begin(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        self._write(job)
        task = self._tasks[job.id] = asyncio.create_task(self._live(job, work))
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def _live(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
            job.state = "done" if job.error is None else "failed"
        except asyncio.CancelledError:
            job.state = "interrupted" if self._is_closing else "cancelled"
            raise
        except (OSError, ValueError, Refused) as error:
            job.state, job.error = "failed", str(error)
        finally:
            if job.state == "running":  # nobody foresaw the error, which goes on to the log
                job.state, job.error = "failed", "Something failed here; the web log has the details."
            self._settle(job)

    def _settle(self, job: Job) -> None:
        """Remove all but the result of a job that is over, and write down how it went."""
        job.ended = time.time_ns() // 1_000_000
        with contextlib.suppress(OSError):
            export_folder.remove_parts(self._folder / job.id, DOC_TYPES, job.file if job.state == "done" else None)
        self._write(job)

    def _write(self, job: Job) -> None:
        with contextlib.suppress(OSError):  # a full disk: the job is still told until the next restart
            replace_file(private_dir(self._folder / job.id) / "job.json", msgspec.json.encode(job), durable=False)

    def _load(self) -> None:
        """Find the jobs of earlier processes; one that ended in the middle of its work left a job that is running.

        What bears no mark of ours is somebody's own and is left alone, as is a job that cannot be read: `doctor` names
        them.
        """
        for folder in sorted(self._folder.glob("*")):
            with contextlib.suppress(OSError):
                self._load_one(folder)
        for job in self._jobs.values():
            if job.state == "running":
                job.state = "interrupted"
                self._settle(job)

    def _load_one(self, folder: Path) -> None:
        standing = export_folder.standing_of(folder)
        if standing == "begun":
            _remove(folder)
        elif standing == "ours":
            try:
                job = msgspec.convert(export_folder.read_job(folder), Job)
            except msgspec.ValidationError:  # of a newer version
                standing = "unreadable"
            else:
                job.file = None if job.file is None else Path(job.file).name
                self._jobs[job.id] = job
        if standing in ("unreadable", "foreign"):
            _log.warning("%s is no export that this version knows, and is left alone", folder)

    async def _export(self, job: Job, order: Order) -> None:
        private_dir(Path(order.folder))
        code = str(Path(__file__).resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([code, *filter(None, sys.path)])}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "web.export", msgspec.json.encode(order).decode(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=environment,
        )  # fmt: skip
        try:
            async for line in _lines(process.stdout):
                _take(job, msgspec.json.decode(line, type=Step))
            said = await process.stderr.read() if process.stderr is not None else b""
            if await process.wait() != 0:
                words = said.decode(errors="replace").strip().splitlines()
                job.error = words[-1] if words else f"the export ended with code {process.returncode}"
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGKILL)
                await process.wait()


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        export_folder.remove_export(folder, DOC_TYPES)


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stream is not None and (line := await stream.readline()):
        yield line


def _take(job: Job, step: Step) -> None:
    job.done, job.total, job.rows, job.what = step.done, step.total, step.rows, step.what
    if step.result is not None:
        job.file, job.size = step.result, step.size
