"""A real supervisor over test children: `python -P run_daemon.py DATA_DIR JSON --foreground|--announce FD`.

JSON: {"children": [child specs], "set": ["key=value", ...], "log_format": "json"}, the last one as wanted. The actors
of the settings are run too. A file `set.json` in DATA_DIR has further settings, which a reload reads again.
"""

import json
import os
import sys
from pathlib import Path

import msgspec

from actors.core.config import Config
from supervisor import launch
from supervisor.daemon import Daemon
from supervisor.plan import extras, groups
from supervisor.settings import Loaded, load
from supervisor.spec import ChildSpec, validated


def main() -> int:
    """Run until told to stop."""
    if os.environ.get("VECTRA_TEST_LIBRARIES") != "all":
        launch.LIBRARIES = ("actors.core.runtime",)  # the children need no more, and the tests start some thirty trees
    data_dir, order_text = sys.argv[1], sys.argv[2]
    foreground = sys.argv[3] == "--foreground"
    order = json.loads(order_text)

    def planner(config: Config, demo: bool) -> list[ChildSpec]:
        children = msgspec.convert(order["children"], list[ChildSpec])
        return validated([*children, *extras(config)], groups(config))

    def read() -> Loaded:
        extra = Path(data_dir, "set.json")
        more = json.loads(extra.read_text()) if extra.exists() else []
        return load(None, {}, [f"data_dir={data_dir}", *order["set"], *more])

    announce = None if foreground else int(sys.argv[4])
    return Daemon(
        read(), read, demo=False, foreground=foreground, announce=announce, log_format=order.get("log_format"),
        planner=planner,
    ).run()  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
