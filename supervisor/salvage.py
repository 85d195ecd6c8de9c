"""Where VECTRA keeps its things, read from a settings file that is not YAML any more: enough to stop what runs.

In: the file's text. Out: its `data_dir:` and `runtime_dir:`, or None where the text leaves a doubt about it. Pure.
"""

import re
from typing import Any

from supervisor.yaml_file import read_yaml

PLACES = ("data_dir", "runtime_dir")


def places(text: str, wanted: tuple[str, ...] = PLACES) -> dict[str, Any] | None:
    """Return the values of the wanted keys that stand in the text, each as a line of its own at top level.

    None: one of them is named otherwise than once in such a line, so that nobody can tell what was meant.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: dict[str, Any] = {}
    for key in wanted:
        naming = [line for line in lines if key in line]
        if not naming:
            continue
        if len(naming) > 1 or re.match(rf"{key}\s*:\s", naming[0] + " ") is None:
            return None
        value, errors = read_yaml(naming[0].encode(), key)
        if errors or list(value) != [key]:
            return None
        found |= value
    return found
