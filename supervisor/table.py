"""`status` for people: a table read at a glance, and the reason in plain words for everything that is not ready.

In: the object of contract 4.2. Out: lines on the terminal, of its width; the actors in the order of the data's flow, as
in the control room. Where it is piped nothing is shortened and nothing coloured.
"""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from actors.core.printable import printable
from supervisor import terminal
from supervisor.words import duration

COLOURS = {
    "ready": "green",
    "running": "green",
    "starting": "yellow",
    "stopping": "yellow",
    "backing-off": "yellow",
    "hung": "red",
    "crash-looping": "red",
}


FLOW = (
    "browser",
    "pilot",
    "capture-a",
    "capture-b",
    "journal",
    "normalizer",
    "writer",
    "state",
    "broadcaster",
    "web",
    "simulator",
)
"""The order of the rows, that of the control room (web/words.py); actors of the user's own come after these."""


def print_status(state: dict[str, Any], web_address: str | None) -> None:
    """Print the object of contract 4.2, with the control room's address as a person opens it: with the token."""
    console = terminal.console()
    state = _printable(state)
    supervisor = state["supervisor"]
    if supervisor["pid"] is None:
        console.print("VECTRA is not running. `vectra-supervisor start` starts it.")
        console.print(Text.assemble(("data          ", "dim"), supervisor["data_dir"]), soft_wrap=True)
        return
    actors = sorted(state["actors"], key=_place)
    console.print(_headline(supervisor, actors))
    console.print()
    console.print(_actors(actors))
    console.print()
    for actor in actors:
        if actor["degraded"]:
            _fact(console, actor["name"], actor["reason"] or "", COLOURS.get(actor["state"], "bold"))
    for name, text in _facts(state, web_address):
        _fact(console, name, text, "red" if name == "trouble" else "dim")


def _printable(value: Any) -> Any:
    """Return the object with every text in it made printable: reasons and errors quote what others sent."""
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_printable(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _fact(console: Console, name: str, text: str, style: str) -> None:
    """Print a name and what there is to say, wrapped under itself on a terminal, whole where it is piped."""
    head = Text(f"{name:<13} ", style=style)
    if not console.is_terminal or "://" in text:  # an address is copied: it stays in one piece
        console.print(Text.assemble(head, text), soft_wrap=True)
        return
    row = Table.grid(padding=0)
    row.add_column(min_width=14, no_wrap=True)
    row.add_column(ratio=1, overflow="fold")
    row.add_row(head, Text(text))
    console.print(row)


def _place(actor: dict[str, Any]) -> tuple[int, str]:
    name = actor["name"]
    return (FLOW.index(name) if name in FLOW else len(FLOW)), name


def _headline(supervisor: dict[str, Any], actors: list[dict[str, Any]]) -> Text:
    demo = " (demo)" if supervisor["demo"] else ""
    degraded = sum(actor["degraded"] for actor in actors)
    ready = sum(actor["state"] == "ready" for actor in actors)
    how = (f", {ready} of {len(actors)} actors ready", "bold red") if degraded else (f", all {ready} actors ready", "")
    return Text.assemble(
        ("VECTRA ", "bold"),
        f"{supervisor['version']}{demo} ",
        (supervisor["state"], COLOURS.get(supervisor["state"], "")),
        f", pid {supervisor['pid']}, for {duration(supervisor['uptime_s'])}",
        how,
    )


def _actors(actors: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for name in ("actor", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("pid", "up", "restarts", "memory", "cpu"):
        table.add_column(name, justify="right", no_wrap=True)
    for actor in actors:
        table.add_row(
            actor["name"],
            Text(actor["state"], style=COLOURS.get(actor["state"], "")),
            _or_dash(actor["pid"], str),
            _or_dash(actor["uptime_s"], duration),
            str(actor["restarts"]),
            _or_dash(actor["rss_bytes"], lambda count: f"{count / 1e6:.0f} MB"),
            _or_dash(actor["cpu_percent"], lambda percent: f"{percent:.1f} %"),
        )
    return table


def _facts(state: dict[str, Any], web_address: str | None) -> list[tuple[str, str]]:
    recording, source, journal, gaps = (state[name] for name in ("recording", "source", "journal", "gaps"))
    facts = [("recording", {True: "on", False: "off", None: "not known yet"}[recording["on"]])]
    wrong = next((actor["stats"].get("error") for actor in state["actors"] if actor["name"] == "pilot"), None)
    if source["connected"] is not None or wrong:
        age = source["last_frame_age_s"]
        last = f", last frame {duration(age)} ago" if age is not None else ""
        why = f": {wrong}" if wrong else ""
        facts.append(("game", ("connected" if source["connected"] else f"not connected{why}") + last))
    if journal["seq"] is not None:
        size = f"{(journal['bytes'] or 0) / 1e6:.1f} MB"
        facts.append(("journal", f"record {journal['seq']}, {size}, {journal['unacked'] or 0} frames not yet safe"))
    for actor in state["actors"]:
        if actor["name"] != "pilot" and actor["stats"].get("error"):
            facts.append(("trouble", f"{actor['name']}: {actor['stats']['error']}; it goes on by itself when mended"))
    if gaps["count"]:
        facts.append(("gaps", f"{gaps['count']}, {duration(gaps['seconds'] or 0)} in all"))
    facts += [(name, url) for name, url in {**state["endpoints"], "web": web_address}.items() if url]
    return [*facts, ("data", state["supervisor"]["data_dir"])]


def _or_dash(value: Any, show: Any) -> str:
    return "-" if value is None else str(show(value))
