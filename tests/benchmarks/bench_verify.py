"""How long a stored round takes to be judged, beside computing it from its seed alone.

The bar: a round of 200 ticks in less than 2 ms on average. Processor time, so that a busy machine does not count.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from actors.rugs.fairness import play, seed_hash
from supervisor.data_verify import judge

ROUNDS, BAR_MS = 2000, 2.0


def main() -> None:
    """Print the mean of both."""
    rounds = [(f"{number:064x}", f"20260101-{number:016x}") for number in range(ROUNDS)]
    began_s = time.process_time()
    played = [play(seed, game_id) for seed, game_id in rounds]
    control_s = time.process_time() - began_s
    stored = [
        (one.game_id, datetime.now(UTC), "v3", one.rug_tick, one.peak, one.rug_price, one.prices, seed, seed_hash(seed),
         True, "")
        for (seed, _), one in zip(rounds, played, strict=True)
    ]  # fmt: skip
    began_s = time.process_time()
    good = sum(judge(row, None).verified is True for row in stored)
    judged_s = time.process_time() - began_s
    ticks = sum(one.rug_tick for one in played) / ROUNDS
    print(f"{good} of {ROUNDS} rounds good, {ticks:.0f} ticks on average")
    print(f"computed alone   {control_s / ROUNDS * 1000:.2f} ms a round")
    print(f"judged           {judged_s / ROUNDS * 1000:.2f} ms a round; the bar for 200 ticks is {BAR_MS:g} ms")
    if good != ROUNDS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
