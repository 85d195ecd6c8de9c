"""Where the running VECTRA listens: what the caller says, else the environment, else its endpoint files, else defaults.

The endpoint files lie in the runtime directory and hold the real ports, also where the configuration says any free one.
Standard library only.
"""

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULTS = {"events": "tcp://127.0.0.1:9100", "requests": "tcp://127.0.0.1:9101"}


def runtime_dir(environ: Mapping[str, str]) -> Path:
    """Return where a VECTRA started with this environment keeps its endpoint files."""
    if named := environ.get("VECTRA_RUNTIME_DIR"):
        return Path(named).expanduser()
    data_dir = environ.get("VECTRA_DATA_DIR") or environ.get("RUGS_DATA_DIR") or "~/rugs_data"
    return Path(data_dir).expanduser() / "run"


def resolve(name: str, given: str | None = None, environ: Mapping[str, str] | None = None) -> str:
    """Return the address of `events` or `requests`."""
    environ = os.environ if environ is None else environ
    configured = given or environ.get(f"VECTRA_BUS_{name.upper()}")
    if configured and not configured.endswith((":0", ":*")):
        return configured
    try:
        return (runtime_dir(environ) / "endpoints" / name).read_text()
    except OSError:
        return DEFAULTS[name]
