"""The parts of contract 4.2 that need no tree: what the journal reported, the endpoints, and "not running".

In: reported figures, the runtime directory. Out: plain dictionaries; what is not known is null. Light to import, for
the command line's sake.
"""

from pathlib import Path
from typing import Any

from actors.core.clock import now_us
from actors.core.endpoints import everything
from vectra_player.version import __version__

ENDPOINTS = ("web", "feed", "monitor", "events", "requests", "cdp", "simulator")


def journal_figures(stats: dict[str, Any]) -> dict[str, Any]:
    """Return `recording`, `source`, `journal` and `gaps` from what the journal last reported."""
    last_frame_us = stats.get("last_frame_us")
    age_s = round(max(0, now_us() - last_frame_us) / 1e6, 3) if last_frame_us else None
    return {
        "recording": {"on": stats.get("recording_on"), "since": stats.get("recording_since")},
        "source": {"connected": stats.get("connected"), "url": stats.get("source_url"), "last_frame_age_s": age_s},
        "journal": {"seq": stats.get("seq"), "bytes": stats.get("bytes"), "unacked": stats.get("unacked")},
        "gaps": {"count": stats.get("gaps"), "seconds": stats.get("gap_seconds")},
    }


def all_endpoints(runtime_dir: Path | None) -> dict[str, str | None]:
    """Return every URL of the contract, null where nothing is served, and whatever else is published."""
    served = everything(runtime_dir) if runtime_dir is not None else {}
    return {**dict.fromkeys(ENDPOINTS), **served}


def web_address(runtime_dir: Path) -> str | None:
    """Return the control room's address with its token, None while it is not served."""
    base = all_endpoints(runtime_dir)["web"]
    if base is None:
        return None
    try:
        token = (runtime_dir / "web_token").read_text().strip()
    except OSError:
        return base
    return f"{base.rstrip('/')}/?token={token}"


def empty_status(data_dir: Path, runtime_dir: Path) -> dict[str, Any]:
    """Return the object as it is when no daemon runs."""
    supervisor: dict[str, Any] = {"pid": None, "state": "stopped", "uptime_s": None, "version": __version__}
    supervisor |= {"demo": None, "data_dir": str(data_dir), "runtime_dir": str(runtime_dir)}
    return {
        "supervisor": supervisor,
        "actors": [],
        **journal_figures({}),
        "endpoints": all_endpoints(None),
    }
