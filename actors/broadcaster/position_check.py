"""Whether a client's position, `since` and `recording`, means something in the recording that runs here. Pure.

In: what a client sent. Out: why it is refused, in words that name the way out, or None. The same rules at every door.
"""

from actors.broadcaster.timeline import record_of
from actors.core.messages import SEQ_STEP

LARGEST_SEQ = 2**53  # numbers are below it: a JSON number keeps them exactly
ANOTHER = "another recording"
_SHOWN = 40  # characters of a client's own words


def refusal(since: int | None, recording: str | None, head: int, running: str) -> str | None:
    """Return why this position is refused, None where it is good.

    since, recording: as the client sent them. head: the highest number a client can know. running: the recording here.
    """
    if recording is not None and recording != running:
        return (
            f"recording is {_shown(recording)}, but {ANOTHER} runs here: {running}. Numbers of the one mean nothing in "
            "the other: begin anew without since."
        )
    if since is None:
        return None
    if not 0 <= since < LARGEST_SEQ:
        return f"since is {_shown(str(since))}, must be 0 to {LARGEST_SEQ - 1}, or null"
    if since > record_of(head) + SEQ_STEP - 1:  # ranges that were handed out may end with the record of the head
        return (
            f"since is {since}, beyond the newest number, {head}: it is of {ANOTHER}, or of none. "
            "Begin anew without since."
        )
    return None


def _shown(text: str) -> str:
    text = text.encode(errors="replace").decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
