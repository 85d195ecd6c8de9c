"""The pages' own files, from memory: each is read and compressed once, until it changes on disk.

A path below `web/static` in; the file out, with gzip for whoever takes it, or 304 for whoever has it. Compressed, the
Live page is a third of its size. Nothing here depends on who asks, so compression gives nothing away.
"""

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

ROOT = Path(__file__).resolve().parent / "static"
SCRIPTS = {".js": "text/javascript", ".mjs": "text/javascript"}  # browsers run no module of another type
LEAST_SAVED = 0.9  # compressed only where that takes off a tenth


class File(Struct, frozen=True, kw_only=True):
    """One file in both forms."""

    kind: str
    tag: str
    plain: bytes
    packed: bytes | None


def asset_routes() -> Blueprint:
    """Return the blueprint for /static."""
    routes = Blueprint("assets", __name__)

    @routes.get("/static/<path:name>")
    async def static(name: str) -> Response:
        found = safe_join(str(ROOT), name)
        path = Path(found) if found is not None else ROOT
        if not path.is_file():
            raise NotFound
        file = read(path, path.stat().st_mtime_ns)
        packed = file.packed if request.accept_encodings.quality("gzip") > 0 else None
        response = Response(packed or file.plain, content_type=file.kind)
        response.vary.add("Accept-Encoding")
        if packed:
            response.content_encoding = "gzip"
        response.set_etag(f"{file.tag}-gzip" if packed else file.tag)
        return await response.make_conditional(request)

    return routes


@lru_cache(maxsize=100)
def read(path: Path, changed_ns: int) -> File:
    """Read and compress a file. changed_ns: its time of change, so that a newer one is read again."""
    plain = path.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    kind = SCRIPTS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(
        kind=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        tag=hashlib.sha256(plain).hexdigest()[:20],
        plain=plain,
        packed=packed if len(packed) < LEAST_SAVED * len(plain) else None,
    )
