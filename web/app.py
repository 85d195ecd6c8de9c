"""The Quart app: the door before every request, the headers after it, and errors in words.

In: the parts that do the work. Out: an ASGI app for hypercorn. Scripts and styles come from our own files only; the
policy has no exception, since lightweight-charts without its logo sets styles through the CSSOM alone.
"""

import logging
import time
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from quart import Blueprint, Quart, Response, redirect, render_template, request, websocket
from quart.wrappers import Websocket
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from web.access import Door, Guesses, bearer
from web.assets import asset_routes
from web.errors import Refused, body

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES = 1_000_000
PATH_BYTES = 250  # our longest is half of that; beyond 255 the file system calls a name too long
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


def create_app(door: Door, blueprints: list[Blueprint], log: logging.Logger) -> Quart:
    """Return the app with the door before all routes."""
    app = Quart(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["BODY_TIMEOUT"] = 10
    app.url_map.strict_slashes = False  # /games/ is /games
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    for blueprint in [asset_routes(), *blueprints]:
        app.register_blueprint(blueprint)
    _guard(app, door)
    _dress(app)
    _explain(app, log)
    return app


def as_json(value: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(msgspec.json.encode(value), status=status, content_type="application/json")


def _guard(app: Quart, door: Door) -> None:
    guesses = Guesses()

    @app.before_request
    async def come_in() -> AnyResponse | Response | None:
        _check_names(door, request)
        if len(request.path.encode()) > PATH_BYTES:
            raise Refused(414, "uri_too_long", WORDS[414])
        if (request.content_length or 0) > BODY_BYTES:  # most routes read no body, and would not notice
            raise Refused(413, "request_entity_too_large", WORDS[413])
        if request.path.startswith("/static/") and request.method in SAFE:
            return None  # nothing of the user's is in there, and the page that says "no" needs its looks
        if request.method in SAFE and (given := request.args.get("token")) is not None:
            _check_token(door, guesses, given)
            return _enter(door)
        if _has_cookie(door, request):
            return None
        _check_bearer(door, guesses, bearer(request.headers.get("Authorization")))
        return None

    @app.before_websocket
    async def connect() -> Response | None:
        try:
            _check_names(door, websocket)
            if not _has_cookie(door, websocket):
                _check_bearer(door, guesses, bearer(websocket.headers.get("Authorization")))
        except Refused as refused:
            return as_json(body(refused.code, refused.message, refused.details), refused.status)
        return None


def _check_names(door: Door, asked: Any) -> None:
    host = asked.headers.get("Host")
    if not door.knows_host(host):
        raise Refused(403, "wrong_host", "This address is not served here. Open it as http://127.0.0.1 with the port.")
    if asked.method in SAFE and not isinstance(asked._get_current_object(), Websocket):
        return
    origins, sites = asked.headers.getlist("Origin"), asked.headers.getlist("Sec-Fetch-Site")
    if not (all(door.knows_origin(origin, host) for origin in origins) and all(map(door.knows_site, sites))):
        raise Refused(403, "wrong_origin", "A page of another origin may not do this.")


def _has_cookie(door: Door, asked: Any) -> bool:
    """Say whether our cookie is there; a page on another port of this host may have set one of its name before it."""
    return any(door.knows_cookie(value) for value in asked.cookies.getlist(door.cookie_name))


def _place() -> str:
    asked = request if _in_request() else websocket
    site = asked.headers.get("Sec-Fetch-Site", "none")  # a foreign page must not use up the user's own tries
    return f"{asked.remote_addr} {'foreign' if site in ('cross-site', 'same-site') else 'own'}"


def _in_request() -> bool:
    return bool(request)


def _check_token(door: Door, guesses: Guesses, given: str) -> None:
    if door.knows_token(given):
        return  # whoever else is guessing: 256 bits are not found by chance, and a guesser must lock nobody out
    place, now_s = _place(), time.monotonic()
    if not guesses.allowed(place, now_s):
        raise Refused(429, "too_many_tries", "Too many wrong tokens. Wait a few seconds, then use the right link.")
    guesses.wrong(place, now_s)
    raise Refused(401, "wrong_token", "This token is not valid. `vectra-supervisor status` has the link.")


def _check_bearer(door: Door, guesses: Guesses, given: str | None) -> None:
    if given is None:
        raise Refused(
            401, "no_token", "A token is needed: open the link of `vectra-supervisor status`, or send it as Bearer."
        )
    _check_token(door, guesses, given)


def _enter(door: Door) -> AnyResponse:
    rest = [(key, value) for key, value in request.args.items(multi=True) if key != "token"]
    clean = "/" + quote(request.path.lstrip("/\\"))  # two slashes would lead to another host
    response = redirect(clean + (f"?{urlencode(rest)}" if rest else ""), 303)
    response.set_cookie(door.cookie_name, door.cookie_value, httponly=True, samesite="Strict", path="/")
    return response


def _dress(app: Quart) -> None:
    @app.after_request
    async def add_headers(response: Response) -> Response:
        response.headers.update(SECURITY)
        response.headers["Content-Security-Policy"] = POLICY.format(host=_host_for_policy())
        is_file = request.path.startswith("/static/") and response.status_code in (200, 304)
        response.headers["Cache-Control"] = "no-cache" if is_file else "no-store"
        return response


def _host_for_policy() -> str:
    host = request.headers.get("Host", "")
    return host if all(sign.isalnum() or sign in ".:-[]" for sign in host) else ""


def _explain(app: Quart, log: logging.Logger) -> None:
    async def answer(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
        if not _in_request() or request.path.startswith("/api/"):
            response = as_json(body(code, message, details), status)
        else:
            page = "locked.html" if status == 401 else "refused.html"
            response = Response(await render_template(page, status=status, code=code, message=message), status=status)
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="VECTRA"'
        if status == 429:
            response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(Refused)
    async def refused(error: Refused) -> Response:
        return await answer(error.status, error.code, error.message, error.details)

    @app.errorhandler(HTTPException)
    async def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        response = await answer(status, _code(error.name), WORDS.get(status, error.description or error.name), {})
        response.headers.extend([pair for pair in error.get_headers() if pair[0] != "Content-Type"])  # as Allow
        return response

    @app.errorhandler(Exception)
    async def unforeseen(error: Exception) -> Response:
        asked = request if _in_request() else websocket
        log.error("%s %s failed", asked.method, asked.path, exc_info=error)
        return await answer(500, "internal_error", "Something failed here; the web log has the details.", {})


WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    414: "This address is too long.",
    413: f"The body is too large; the limit is {BODY_BYTES} bytes.",
}


def _code(name: str) -> str:
    return name.lower().replace(" ", "_")
