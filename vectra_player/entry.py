"""The console script: look at the environment first, then hand over to the command line.

PyPI has other distributions that install packages called `supervisor`, `web` and `actors`. Where one of them shares our
environment, importing ours gives anything, so this module, standard library only, looks before it imports. It lies in
the one package of ours whose name is unique.
"""

import re
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

OURS = "vectra-player"
SHARED_NAMES = ("actors", "supervisor", "web")

_LISTS = ("RECORD", "top_level.txt", "installed-files.txt")  # where a distribution says what it installs
_NAMED = re.compile(rb"(?m)^(?:\.\./)?(?:%s)(?:/|\.py\b|\r?$)" % b"|".join(name.encode() for name in SHARED_NAMES))


def may_be_foreign(folders: Iterable[str]) -> bool:
    """Say at a glance, in milliseconds, whether another distribution may install one of our names.

    folders: the import path. The full answer costs `importlib.metadata` 150 to 350 ms, more than a command may take.
    """
    for folder in folders:
        for info in (*Path(folder or ".").glob("*.dist-info"), *Path(folder or ".").glob("*.egg-info")):
            if info.name.lower().replace("_", "-").startswith(f"{OURS}-"):
                continue
            for name in _LISTS:
                try:
                    text = (info / name).read_bytes()
                except OSError:
                    continue
                if _NAMED.search(text):
                    return True
    return False


def foreign_packages(providers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return, by name of the other distribution, which of our package names it installs too.

    providers: package name -> distributions, as `importlib.metadata.packages_distributions` gives them.
    """
    foreign: dict[str, list[str]] = {}
    for package in SHARED_NAMES:
        for distribution in sorted(set(providers.get(package, ()))):
            if distribution.lower().replace("_", "-") != OURS:
                foreign.setdefault(distribution, []).append(package)
    return foreign


def explain(foreign: Mapping[str, Sequence[str]]) -> str:
    """Say which distributions are in the way, and how to get rid of them."""
    lines = [
        f"{sys.prefix}: the distribution {name!r} installs the package{'s' if len(packages) > 1 else ''} "
        f"{', '.join(packages)}, which must be VECTRA's own."
        for name, packages in foreign.items()
    ]
    uninstall = f"{sys.executable} -m pip uninstall {' '.join(foreign)}"
    return "\n".join(
        [
            "vectra-supervisor cannot start beside these packages:",
            *lines,
            f"Remove them with: {uninstall}",
            f"then repair ours with: {sys.executable} -m pip install --force-reinstall --no-deps {OURS}",
            "or install VECTRA into a virtual environment of its own.",
        ]
    )


def main() -> None:
    """Run `vectra-supervisor`. Exits with 2 where a foreign package is in the way."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while we load ends us at once, without a traceback
    if may_be_foreign(sys.path):
        from importlib.metadata import packages_distributions

        foreign = foreign_packages(packages_distributions())
        if foreign:
            print(explain(foreign), file=sys.stderr)
            raise SystemExit(2)
    from supervisor.cli import run

    signal.signal(signal.SIGINT, on_interrupt)
    run()


if __name__ == "__main__":
    main()
