"""The hostile-page campaign: a foreign page in the recorded browser tries to poison, to double and to blind the record.

Beside the game, with numbered frames and a control client, another origin's tab, frames and workers open and close
sockets without end, under names that look like the game's, send forged game frames and frames that are expensive to
read, poll, press buttons and open popups. At the end it is counted what of that got into the record, and what of the
game did not. `make hostile MINUTES=10` prints the result; exit code 1 where a promise is broken.
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from tests.hostile.counting import HostileOutcome
from tests.hostile.trial import PARTS, figures_of, trial
from tests.hostile.watching import share

SHOWN = 5  # of each list


def report(found: HostileOutcome) -> None:
    """Print what was counted."""
    print(
        f"sent {found.sent}  stored {found.stored}  lost {len(found.lost)}  doubled {found.doubled}  "
        f"lost outside a gap {found.lost_outside_gaps}  kills {found.kills}  restarts {found.restarts or 0}  "
        f"ambiguous {found.ambiguous}"
    )
    print(f"hostile: {figures_of(found.figures)}, {found.foreign_presses} presses")
    print(f"forged rows {found.marked}")
    print(f"foreign sockets in ws_event {found.foreign_streams}, their rows {found.foreign_frames}")
    for example in found.examples[:SHOWN]:
        print(f"  {example}")
    print(
        f"presses of the game's page: {found.pressed}, stored {found.presses}, doubled {found.presses_doubled}, "
        f"lost {found.presses_lost}"
    )
    print(
        f"oldest newest frame {found.oldest_s:.2f} s in {found.looks} looks ({found.unanswered} unanswered); "
        f"forged live states {len(found.forged_live)}"
    )
    print(f"gaps {len(found.gaps)}, told as {found.gap_s:.2f} s, union {found.union_s:.2f} s")
    for from_us, to_us, cause in found.gaps[:SHOWN]:
        print(f"  gap of {(to_us - from_us) / 1e6:.3f} s: {cause}")
    print(f"notes {found.notes}, the largest {found.largest_note} bytes")
    memory = (f"{name} {before:.0f}→{after:.0f}" for name, (before, after, _) in found.memory.items())
    print(f"memory, MB: {', '.join(memory)}")
    used = {**found.cpu_s, "hostile server": found.figures["cpu_s"]}
    print(f"share of a core: {', '.join(f'{name} {share(cpu_s, found.took_s)}' for name, cpu_s in used.items())}")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100, help="frames of the game a second")
    parser.add_argument("--kill", action="store_true", help="kill captures meanwhile, now and then both at once")
    parser.add_argument("--only", default=",".join(PARTS), help="parts of the attack, comma-separated: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty directory for data and logs, which stay there")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = trial(
            home,
            seconds=given.minutes * 60,
            rate=given.rate,
            kill=given.kill,
            parts=given.only.split(","),
            seed=given.seed,
        )
    report(found)
    broken = found.broken()
    for words in broken:
        print(f"BROKEN: {words}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
