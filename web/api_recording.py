"""`/api/recording` and `/api/jobs`: the record's timeline and sizes, exports and compaction. JSON in and out."""

import asyncio
import datetime
import os
from pathlib import Path
from typing import Any

from quart import Blueprint, Response, send_file
from quart_schema import document_querystring, document_request, document_response

from actors.core.files import replace_file
from actors.rugs.schema import DOC_TYPES
from web.answers import Deleted, HoursQuery, JobAnswer, JobList, JobOrder
from web.api import GAME_ID
from web.app import as_json
from web.asked import body, query
from web.errors import Refused
from web.house import House
from web.hub import pause
from web.jobs import Job, Jobs
from web.ledger import Ledger, RecordingView

REQUEST = "compact.request"  # in the runtime directory, as in actors/writer/compaction.py
LOOK_S = 0.5
NOTICE_S = 20.0  # the writer looks for requests ten times a second; this covers its restart
FORMATS = {"csv": "CSV", "csv-raw": "CSV, exact", "jsonl": "JSON lines", "parquet": "Parquet"}


def recording_routes(ledger: Ledger, jobs: Jobs, house: House, runtime_dir: Path) -> Blueprint:
    """Return the blueprint."""
    routes = Blueprint("recording_api", __name__, url_prefix="/api")

    @routes.get("/recording")
    @document_querystring(HoursQuery)
    @document_response(RecordingView)
    async def recording() -> Response:
        """The record over the last hours: when it was on, gaps and what came back, files by day, forecast."""
        return as_json(await ledger.recording(query(HoursQuery).hours))

    @routes.get("/jobs")
    @document_response(JobList)
    async def all_jobs() -> Response:
        """Long work, newest first."""
        return as_json(JobList(jobs=jobs.all()))

    @routes.post("/jobs")
    @document_request(JobOrder)
    @document_response(JobAnswer, 202)
    async def begin() -> Response:
        """Begin an export of a day or of a round, or a compaction."""
        order = await body(JobOrder)
        job = (
            _compaction(jobs, house, runtime_dir) if order.kind == "compaction" else await _export(jobs, ledger, order)
        )
        return as_json(JobAnswer(job=job), 202)

    @routes.get("/jobs/<job_id>")
    @document_response(JobAnswer)
    async def one(job_id: str) -> Response:
        """One job."""
        return as_json(JobAnswer(job=jobs.get(job_id)))

    @routes.post("/jobs/<job_id>/cancel")
    @document_response(JobAnswer)
    async def cancel(job_id: str) -> Response:
        """End a running job. What an export wrote is removed; what a compaction merged by then stays merged."""
        job = jobs.get(job_id)
        await jobs.cancel(job)
        return as_json(JobAnswer(job=job))

    @routes.delete("/jobs/<job_id>")
    @document_response(Deleted)
    async def delete(job_id: str) -> Response:
        """Forget a job and remove its file."""
        await jobs.delete(jobs.get(job_id))
        return as_json(Deleted(deleted=job_id))

    @routes.get("/jobs/<job_id>/file")
    async def file(job_id: str) -> Response:
        """The file that an export made."""
        path = jobs.path(jobs.get(job_id))
        response: Any = await send_file(
            path, mimetype="application/octet-stream", as_attachment=True, attachment_filename=path.name
        )
        response.timeout = None  # a large file over a slow line
        return response  # type: ignore[no-any-return]

    return routes


async def _export(jobs: Jobs, ledger: Ledger, order: JobOrder) -> Job:
    if (order.day is None) == (order.game_id is None):
        raise Refused(400, "bad_body", "body: an export takes a day or a game_id, one of the two.")
    unknown = sorted(set(order.doc_types) - DOC_TYPES.keys())
    if unknown:
        raise Refused(
            400, "bad_body", f"body doc_types: {unknown[0][:40]!r} is unknown; known are {', '.join(DOC_TYPES)}."
        )
    kinds = [kind for kind in DOC_TYPES if not order.doc_types or kind in order.doc_types]
    form = FORMATS[order.format]
    if order.day is not None:
        if not any((ledger.data_dir / "events_parquet").glob(f"doc_type=*/date={_date(order.day)}")):
            raise Refused(404, "unknown_day", f"Nothing is on disk of {order.day}.")
        return jobs.export(f"{order.day} as {form}", f"vectra-{order.day}", order.format, kinds, [order.day], None)
    game_id = order.game_id or ""
    if not GAME_ID.fullmatch(game_id):
        raise Refused(400, "bad_body", "body game_id: it must be 1 to 80 letters, digits, - and _.")
    place = await asyncio.to_thread(ledger.register.place, game_id)
    if place is None:
        raise Refused(404, "unknown_game", "This round is not on disk here.")
    ended = datetime.datetime.fromtimestamp(place.at / 1000, datetime.UTC).date()
    days = sorted({str(ended + datetime.timedelta(days=step)) for step in (-1, 0, 1)} | {place.path.parent.name[5:]})
    return jobs.export(f"round {game_id} as {form}", f"vectra-{game_id}", order.format, kinds, days, game_id)


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise Refused(400, "bad_body", f"body day: {text} is no date.") from None


def _compaction(jobs: Jobs, house: House, runtime_dir: Path) -> Job:
    job = jobs.add("compaction", "merge the files of finished hours and days")
    jobs.follow(job, _follow_writer(job, house, runtime_dir))
    return job


async def _follow_writer(job: Job, house: House, runtime_dir: Path) -> None:
    """Ask the writer by its request file, and tell how it fares until it is done; without the file it stops."""
    request = runtime_dir / REQUEST
    asked, waited_s = False, 0.0
    try:
        while waited_s < NOTICE_S:
            asked = asked or _ask_writer(request, job.id)
            figures = await _figures(house)
            if any(_hear_writer(job, one) for one in (*figures.get("before", ()), figures)):
                return
            waited_s = 0.0 if figures.get("state") == "running" else waited_s + LOOK_S
            await pause(LOOK_S)
        job.error = f"the writer did not answer within {NOTICE_S:g} s"
    finally:
        if asked and request.is_file() and request.read_text() == job.id:
            request.unlink(missing_ok=True)


def _ask_writer(request: Path, name: str) -> bool:
    """Put a request where the writer looks; False where another's is there, which comes first."""
    own = request.with_name(f"{request.name}.{name}")
    replace_file(own, name.encode(), durable=False)
    try:
        os.link(own, request)
    except FileExistsError:
        return False
    finally:
        own.unlink()
    return True


def _hear_writer(job: Job, figures: dict[str, Any]) -> bool:
    """Note what the writer tells of its pass; True when it is over."""
    state = figures.get("state")
    if figures.get("id") != job.id:
        job.done = job.total = 0  # of a writer that died meanwhile
        job.what = "waiting for the merging under way" if state == "running" else "waiting for the writer"
        return False
    job.done, job.total = int(figures.get("files_read") or 0), int(figures.get("files_planned") or 0)
    job.what = f"merging {job.total} files" if job.total else "looking for what can be merged"
    if state not in ("done", "failed"):
        return False
    job.done = job.total = int(figures.get("files_before") or 0)
    job.what = f"{job.done} files into {figures.get('files_after')}" if job.done else "nothing to merge"
    job.error = None if state == "done" else f"put off, nothing is lost: {figures.get('reason')}"
    return True


async def _figures(house: House) -> dict[str, Any]:
    try:
        actors = (await house.status()).get("actors") or []
    except Refused:
        return {}
    found: list[dict[str, Any]] = [
        (one.get("stats") or {}).get("compaction") or {} for one in actors if one.get("name") == "writer"
    ]
    return found[0] if found else {}
