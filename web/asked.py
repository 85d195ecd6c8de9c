"""What a request asks for, read into the struct that describes it; what breaks its rules is refused in words.

In: the query string or the JSON body of the request under way. Out: a struct. `Refused` with 400 or 415 names the
field, the rule and what was found.
"""

from typing import Any, TypeVar

import msgspec
from quart import request

from web.errors import Refused

S = TypeVar("S", bound=msgspec.Struct)


def query(kind: type[S]) -> S:
    """Return the query string as `kind`; an empty value and an unknown name count as not given."""
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    given = {key: value for key, value in request.args.items() if key in names and value != ""}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, "bad_query", _words("query", str(error), given)) from None


async def body(kind: type[S]) -> S:
    """Return the JSON body as `kind`."""
    if request.mimetype != "application/json":
        raise Refused(415, "not_json", "The body must be JSON, sent as application/json.")
    try:
        return msgspec.json.decode(await request.get_data(), type=kind)
    except msgspec.ValidationError as error:
        raise Refused(400, "bad_body", _words("body", str(error), {})) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "bad_body", f"The body is no JSON: {error}.") from None


def _words(where: str, rule: str, given: dict[str, Any]) -> str:
    """Return msgspec's words with the value that was found."""
    rule, _, path = rule.partition(" - at `$")
    field = path.strip("`.")
    found = f" is {given[field][:40]!r}" if field in given else ""
    return f"{where} {field}{found}: {rule[:1].lower()}{rule[1:]}."
