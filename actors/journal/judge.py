"""What may enter the journal, judged by its content: submitted notes.

Pure. Never changes what it judges.
"""

import msgspec

from actors.core import messages as m

_OWN = ("attached", "detached", "opened", "found", "resumed", "closed", "lost", "continued")
_PROBES = (b"2probe", b"3probe", b"5", b"6")


def is_handshake(payload: bytes, *, sent: bool) -> bool:
    """Say whether a frame belongs to a socket's beginning, before the server has taken the page in.

    The server sends the game's events from its answer to `40` on; what it sent meanwhile nobody received.
    """
    return payload.startswith(b"0{") or payload in _PROBES or (sent and payload.startswith(b"40"))


def refusal(note: m.Submit) -> str | None:
    """Say why a submitted note cannot be taken, None where it can."""
    try:
        data = msgspec.json.decode(note.data)
    except msgspec.DecodeError as error:
        return f"{note.event}: the data is not JSON ({error})"
    if not isinstance(data, dict):
        return f"{note.event}: the data is {type(data).__name__}, must be a JSON object"
    if note.event == "recording" and not isinstance(data.get("on"), bool):
        return f"recording.on is {data.get('on')!r}, must be true or false"
    if note.event == "gap" and not all(isinstance(data.get(key), int) for key in ("from_us", "to_us")):
        return "gap.from_us and gap.to_us must be Unix microseconds"
    if note.event == "connection" and data.get("what") in _OWN:
        return f"connection.what is {data['what']!r}, which only the journal itself may say"
    return None
