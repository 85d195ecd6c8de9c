"""Files that a user or a tool puts under `<data dir>/artifacts/<name>/`, served read-only at `/artifacts/<name>/`.

In: a path below `/artifacts/`. Out: the file, `index.html` for a directory, or a plain list of names. Never a file
whose name begins with a dot, never one outside, whatever `..`, links or encodings say; never a script from elsewhere.
"""

import html
import mimetypes
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

LARGEST_LIST = 1000


class Artifacts:
    """Serves one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. HTTPNotFound: there is nothing, or nothing that may be shown."""
        wanted = request.match_info.get("path", "")
        found = self._find(wanted)
        if found is None:
            if not wanted and not self._root.exists():
                return _page("Artifacts", [], "Nothing here yet.")
            raise web.HTTPNotFound
        if not found.is_dir():
            return _file(found)
        if not request.path.endswith("/"):
            raise web.HTTPMovedPermanently(location=request.rel_url.raw_path.rsplit("/", 1)[-1] + "/")
        index = self._find(f"{wanted}/index.html")
        return _file(index) if index is not None else _page(wanted or "Artifacts", _names(found))

    def _find(self, wanted: str) -> Path | None:
        parts = [part for part in wanted.split("/") if part]
        if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        try:
            root = self._root.resolve(strict=True)
            found = root.joinpath(*parts).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: a link that leads to itself
            return None
        inside = found == root or found.is_relative_to(root)
        shown = not any(part.startswith(".") for part in found.relative_to(root).parts) if inside else False
        return found if shown and (found.is_dir() or found.is_file()) else None


def _file(path: Path) -> web.FileResponse:
    kind, packed = mimetypes.guess_type(path.name)
    if kind is None or packed:  # a packed page is no page
        kind = "application/octet-stream"
    return web.FileResponse(path, headers={"Content-Type": f"{kind}; charset=utf-8" if kind[:4] == "text" else kind})


def _names(folder: Path) -> list[str]:
    shown = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and _is_text(path.name))
    return [path.name + ("/" if path.is_dir() else "") for path in shown[:LARGEST_LIST]]


def _is_text(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:  # a name of other bytes stands in no URL of ours
        return False


def _page(title: str, names: list[str], word: str = "") -> web.Response:
    items = "".join(f'<li><a href="./{html.escape(quote(name))}">{html.escape(name)}</a></li>' for name in names)
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>VECTRA artifacts</title>'
        '<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/monitor.css">'
        f"<header><h1>{html.escape(title)}</h1><nav><a href='/'>Panel</a></nav></header>"
        f"<main><section><ul>{items}</ul>{html.escape(word)}</section></main></html>"
    )
    return web.Response(text=text, content_type="text/html")
