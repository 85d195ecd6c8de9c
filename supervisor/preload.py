"""What the fork server does before its first child: tie itself to the supervisor, import what the children need.

In: the supervisor's pid, the modules' names. Out: imported modules, shared by all children, and what cannot be
imported, in words: that is the crash of the child that needs it, never the fork server's. Modules only: no socket,
thread or open file.
"""

import gc
import importlib
import signal

import msgspec

from actors.core.config import Config
from actors.core.lifeline import die_with_parent
from actors.core.streams import ALL


def preload(parent: int, modules: list[str]) -> list[str]:
    """Die with `parent` from now on and import the modules; return what failed, in words."""
    die_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP):  # children inherit it from their birth on: Ctrl-C and a closed
        signal.signal(number, signal.SIG_IGN)  # terminal are the supervisor's to hear, and it stops us in order
    failures = []
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            failures.append(f"preload: {name} cannot be imported: {type(error).__name__}: {error}")
    _learn_the_types()
    gc.collect()
    gc.freeze()  # or the first collection in each child would copy every page that holds an object
    return failures


def _learn_the_types() -> None:
    """Have msgspec work out our types now, which it keeps with them: 1.3 ms that no child spends at its start."""
    msgspec.msgpack.decode(msgspec.msgpack.encode(Config()), type=Config)
    for stream in ALL:
        for carried in (stream.carries, stream.answers):
            if carried is not None:
                msgspec.msgpack.Decoder(carried)
