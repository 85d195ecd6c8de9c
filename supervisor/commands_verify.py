"""verify: recorded rounds against their revealed seeds, whether VECTRA runs or not.

In: a game id, or all. Out: a line a round, or JSON, and exit code 1 where one does not match. Reads only.
"""

from typing import TYPE_CHECKING

import click

from actors.core.printable import printable
from supervisor.ask import CommandError
from supervisor.data_place import data_dir_of, demo_flag
from supervisor.shared_flags import Given, settings_flags
from supervisor.terminal import echo_json

if TYPE_CHECKING:
    from supervisor.data_verify import Verdict

WORDS = {True: "good", False: "BAD", None: "unknown"}


@click.command()
@click.argument("game_id", required=False)
@click.option("--all", "is_all", is_flag=True, help="All recorded rounds; the default without a game id.")
@click.option("--bad", "only_bad", is_flag=True, help="Show only the rounds that are not good.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@demo_flag
@settings_flags
def verify(given: Given, game_id: str | None, is_all: bool, only_bad: bool, as_json: bool, demo: bool) -> None:
    """Compute recorded rounds again from their revealed seeds, and compare every price.

    A round is good when its seed hashes to the commitment and gives every price, the peak and the rug; unknown where
    the seed was never seen. Exits with 1 where a round does not match, or the game id is not recorded.
    """
    if game_id is not None and is_all:
        raise click.UsageError("Give a game id or --all.")
    data_dir = data_dir_of(given, demo=demo)
    if not (data_dir / "events_parquet").is_dir():
        raise CommandError(f"{data_dir / 'events_parquet'} is not there: nothing was recorded, or data_dir differs.", 1)
    from supervisor.data_query import ReadOnlyDatabase, Refused, left_out_words
    from supervisor.data_verify import verdicts

    counts = dict.fromkeys(WORDS, 0)
    with ReadOnlyDatabase(data_dir) as database:
        try:
            for verdict in verdicts(database, game_id):
                counts[verdict.verified] += 1
                if not (only_bad and verdict.verified):
                    _say(verdict, as_json)
        except Refused as refused:
            raise CommandError(str(refused), 1) from None
    total = sum(counts.values())
    if game_id is not None and not total:
        raise CommandError(f'{game_id} is not recorded. `sql "SELECT game_id FROM games"` lists the rounds.', 1)
    if not as_json:
        click.echo(f"{total} rounds: {counts[True]} good, {counts[False]} bad, {counts[None]} unknown.")
    if database.left_out:
        raise CommandError(left_out_words(database.left_out), 1)
    raise SystemExit(1 if counts[False] else 0)


def _say(verdict: "Verdict", as_json: bool) -> None:
    if as_json:
        echo_json(verdict)
        return
    ended = f"{verdict.ended_at:%Y-%m-%d %H:%M:%S}" if verdict.ended_at else "-"
    ticks, peak = verdict.ticks if verdict.ticks is not None else "-", f"{verdict.peak or 0:.4f}x"
    word = WORDS[verdict.verified]
    line = f"{verdict.game_id}  {ended:19}  {ticks:>4} ticks  {peak:>12}  {word:7}  {verdict.reason}"
    click.echo(printable(line))
