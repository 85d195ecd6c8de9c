"""The house's condition in plain words: one line of health, and what each actor does and what its absence means. Pure.

In: the object of `status --json` (contract 4.2), or None while the supervisor does not answer. Out: short sentences.
"""

import signal
from typing import Any

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")

# In the order of the data's flow, which is the order on the pages: name -> (job, what its absence means).
ACTORS: dict[str, tuple[str, str]] = {
    "browser": (
        "runs Chromium and waits for it",
        "Chromium ends and starts again, and the page is opened anew. What the game sends in between is not seen: "
        "that time is recorded as a gap.",
    ),
    "pilot": (
        "opens the game's page, probes its health, reloads it",
        "Recording goes on. The new pilot adopts the open page.",
    ),
    "capture-a": (
        "reads every frame the page sends and receives",
        "The other capture goes on reading. Where it is the only one, what the game sends until it is back "
        "is not seen and is recorded as a gap.",
    ),
    "capture-b": (
        "reads every frame too, as the hot standby",
        "The other capture goes on reading; nothing is lost.",
    ),
    "journal": (
        "numbers every frame and puts it on disk",
        "The captures keep what is not on disk yet and send it again; nothing is lost. Live numbers pause.",
    ),
    "normalizer": (
        "turns frames into typed events",
        "It takes up where its consumers are; nothing is lost. Live numbers pause for a moment.",
    ),
    "writer": (
        "writes events into Parquet, each exactly once",
        "Rows not yet in Parquet are derived again from the journal; nothing is lost.",
    ),
    "state": (
        "keeps the live state",
        "The numbers on the Live page stand still for a moment; recording goes on.",
    ),
    "broadcaster": (
        "serves the feed and the monitor",
        "Clients of the feed are cut off and resume where they were; recording goes on.",
    ),
    "web": (
        "serves this page",
        "This page loses its connection and finds it again by itself; recording goes on.",
    ),
    "simulator": (
        "plays rugs.fun on this machine, for the demo",
        "The game's socket closes; the page connects again and a new round begins. "
        "The time in between is recorded as a gap.",
    ),
}

TROUBLE = {
    "starting": "is starting",
    "hung": "does not move and will be ended and started again",
    "backing-off": "died repeatedly and waits before its next start",
    "crash-looping": "dies at every start; see its log on the System page",
    "stopping": "is stopping",
    "stopped": "is stopped",
}


def health(status: dict[str, Any] | None) -> dict[str, Any]:
    """Return `level` (good, warn, bad), `title`, and `last`: the newest exit of an actor or null.

    `last` is {"at", "text"}, where the page puts the age before the text.
    """
    if status is None:
        return {
            "level": "bad",
            "title": "The supervisor does not answer",
            "last": None,
        }
    actors = status.get("actors") or []
    troubled = [actor for actor in actors if actor.get("state") != "ready"]
    if not actors:
        return {"level": "bad", "title": "No actor is running", "last": None}
    if not troubled and (wrong := page_error(status) or work_error(actors)) is not None:
        return {"level": "bad", "title": wrong[:1].upper() + wrong[1:], "last": last_exit(actors)}
    if not troubled:
        count = NUMBERS[len(actors)].lower() if len(actors) < len(NUMBERS) else str(len(actors))
        return {"level": "good", "title": f"All {count} actors ready", "last": last_exit(actors)}
    lost = any(actor.get("state") not in ("starting", "stopping") for actor in troubled)
    parts = [f"{actor.get('name')} {TROUBLE.get(str(actor.get('state')), 'is not ready')}" for actor in troubled]
    title = "; ".join(parts[:3]) + (f"; and {len(parts) - 3} more" if len(parts) > 3 else "")
    return {"level": "bad" if lost else "warn", "title": title, "last": last_exit(actors)}


def page_error(status: dict[str, Any]) -> str | None:
    """Return what keeps the game's page from opening, in the pilot's words; None where nothing does."""
    actors: list[dict[str, Any]] = status.get("actors") or []
    pilot: dict[str, Any] = next((actor for actor in actors if actor.get("name") == "pilot"), {})
    wrong = (pilot.get("stats") or {}).get("error")
    return None if wrong is None else str(wrong)


def work_error(actors: list[dict[str, Any]]) -> str | None:
    """Return what keeps an actor that runs from its work, a full disk above all; None where nothing does.

    The pilot's troubles are the page's: see `page_error`.
    """
    for actor in actors:
        wrong = (actor.get("stats") or {}).get("error")
        if wrong and actor.get("name") != "pilot":
            return f"{actor.get('name')}: {wrong}; what comes is kept as long as it can be"
    return None


def last_exit(actors: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return when and how an actor last ended, None where none did since the start."""
    ended = [actor for actor in actors if (actor.get("last_exit") or {}).get("at") is not None]
    if not ended:
        return None
    actor = max(ended, key=lambda one: float(one["last_exit"]["at"]))
    back = ", and it is back" if actor.get("state") == "ready" else ""
    return {"at": actor["last_exit"]["at"], "text": f"{actor.get('name')} {exit_words(actor['last_exit'])}{back}"}


def exit_words(last: dict[str, Any]) -> str:
    """Return how a process ended."""
    number, code = last.get("signal"), last.get("code")
    if number is not None:
        at_work = f" while working on {last['working_on']}" if last.get("working_on") else ""
        return f"was killed by signal {number}{_signal_name(int(number))}{at_work}"
    if code == 0:
        return "ended as asked"
    return f"ended with code {code}" if code is not None else "ended"


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""
