"""The console script: look at the environment first, then hand over to the command line.

PyPI has other distributions that install packages called `supervisor`, `web` and `actors`. Where one of them shares our
environment, importing ours gives anything, so this module, standard library only, looks before it imports. It lies in
the one package of ours whose name is unique.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions

OURS = "vectra-player"
SHARED_NAMES = ("actors", "supervisor", "web")


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
    foreign = foreign_packages(packages_distributions())
    if foreign:
        print(explain(foreign), file=sys.stderr)
        raise SystemExit(2)
    from supervisor.cli import run

    run()


if __name__ == "__main__":
    main()
