"""`status` for people: a table read at a glance, and the reason in plain words for everything that is not ready."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

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


def print_status(state: dict[str, Any], web_address: str | None) -> None:
    """Print the object of contract 4.2, with the control room's address as a person opens it: with the token."""
    console = Console(highlight=False)
    supervisor = state["supervisor"]
    if supervisor["pid"] is None:
        console.print("VECTRA is not running. `vectra-supervisor start` starts it.")
        return
    console.print(_headline(supervisor))
    console.print(_actors(state["actors"]))
    for actor in state["actors"]:
        if actor["degraded"]:
            console.print(Text.assemble((actor["name"], "bold"), ": ", actor["reason"] or ""), soft_wrap=True)
    for name, text in _facts(state, web_address):
        console.print(Text.assemble((f"{name:<14}", "dim"), text), soft_wrap=True)


def _headline(supervisor: dict[str, Any]) -> Text:
    demo = " (demo)" if supervisor["demo"] else ""
    return Text.assemble(
        ("VECTRA ", "bold"),
        f"{supervisor['version']}{demo} ",
        (supervisor["state"], COLOURS.get(supervisor["state"], "")),
        f", pid {supervisor['pid']}, for {duration(supervisor['uptime_s'])}",
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
