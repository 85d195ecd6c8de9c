"""What every open page shows, kept once: live state, chart, last rounds, status, pulse. Pure.

Messages of the streams in; out, for each page, what changed since the version it has. A page that does not keep up has
no queue anywhere: it simply gets the newest values when it is ready again.
"""

from collections import deque
from typing import Any, Literal, NamedTuple, cast, get_args

import msgspec

from actors.core.messages import Event, Events, LiveState
from actors.rugs.readings import integer, mapping, number
from web.chart import Chart, Cursor
from web.pulse import Pulse
from web.rounds import PricedRound, Round, chip, from_event
from web.system_rows import SystemRecord, record
from web.vitals import Vitals
from web.words import ACTORS, exit_words, health, page_error, work_error

View = Literal["all", "pulse", "recording", "system"]
VIEWS: dict[str, tuple[str, ...]] = {"recording": ("rates",), "system": ("rates", "vitals")}  # besides the pulse
PULSE_KEYS = frozenset({"lastFrameAt", "connected"})  # of the state, for pages without live numbers
LAST_ROUNDS = 50
FRESH_RECORDS = 500
SIDEBET_TICKS = 40
REPORTED_MS = 500  # actors report four times a second: a status is at most this old
UNSHOWN = frozenset({"uptime_s", "stats", "progress"})  # pages count uptime on by themselves, from startedAt


class Known(NamedTuple):
    """What one page has."""

    version: int = 0
    chart: Cursor = Cursor()


class Sheet:
    """Values by key, each with the version at which it last changed."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._changed: dict[str, int] = {}

    def put(self, values: dict[str, Any], version: int) -> None:
        """Set what is new or different."""
        for key, value in values.items():
            if key not in self.values or self.values[key] != value:
                self.values[key] = value
                self._changed[key] = version

    def since(self, version: int, only: frozenset[str] | None = None) -> dict[str, Any]:
        """Return what changed after `version`."""
        return {
            key: self.values[key] for key, at in self._changed.items() if at > version and (only is None or key in only)
        }


class Board:
    """All that pages show."""

    def __init__(self) -> None:
        self.chart = Chart()
        self.fresh: dict[str, PricedRound] = {}  # rounds that ended while we listened, newest last
        self.system: deque[SystemRecord] = deque(maxlen=FRESH_RECORDS)  # what is not in Parquet yet, and some more
        self._pulse = Pulse()
        self._vitals = Vitals()
        self._version = 0
        self._sheets = {name: Sheet() for name in ("state", "status", "pulse", "rounds", "rates", "vitals")}
        self._rounds: list[Round] = []
        self._pending: LiveState | None = None
        self._state_seq = -1
        self._seq = 0
        self._due_seq = -1
        self._upto: int | None = None
        self._put("status", {"words": {name: {"job": job, "away": away} for name, (job, away) in ACTORS.items()}})

    def hear_events(self, batch: Events, now_ms: int) -> bool:
        """Take a live batch; return True where something before it was missed and a snapshot should be asked for."""
        self._pulse.hear(batch, now_ms)
        missed = self._upto is not None and batch.after > self._upto
        self._upto = max(batch.upto, self._upto or 0)
        for event in batch.events:
            if event.seq > self._seq:
                self._seq = event.seq
                missed = self._hear(event) or missed
        return missed

    def hear_state(self, state: LiveState) -> None:
        """Take a published live state; the newest counts, and is read only when a page wants it."""
        if state.seq >= self._state_seq:
            self._state_seq = state.seq
            self._pending = state

    def adopt(self, answer: LiveState) -> None:
        """Take a snapshot: the state, and the prices of its round."""
        state: dict[str, Any] = msgspec.json.decode(answer.state)
        self.chart.adopt(state.get("gameId"), state.get("phase"), answer.first_tick, answer.prices)
        self.hear_state(answer)
        self.settle()

    def state_is_behind(self) -> bool:
        """Say whether the state still lacks events that were heard before the last call: some were dropped.

        A PUB that is full drops the newest, and after a burst nothing may follow that would replace them.
        """
        behind = self._state_seq < self._due_seq
        self._due_seq = self._seq
        return behind

    def settle(self) -> None:
        """Read the newest state, if one waits."""
        if self._pending is None:
            return
        state: dict[str, Any] = msgspec.json.decode(self._pending.state)
        self._pending = None
        self._put("state", {**state, "seq": self._state_seq})
        if state.get("gameId") == self.chart.game_id and self.chart.game_id is not None:
            self.chart.note("trades", state.get("ownTrades") or [])
            if (bet := window(state.get("sidebet"))) is not None:
                self.chart.add_sidebet(bet)

    def hear_status(self, status: dict[str, Any] | None, now_ms: int) -> None:
        """Take the supervisor's answer; None: it did not answer in time."""
        values: dict[str, Any] = {"health": health(status), "answered": status is not None}
        values["pageError"] = page_error(status) if status is not None else None
        values["workError"] = work_error(status.get("actors") or []) if status is not None else None
        if status is not None:
            started = {"startedAt": _since(status.get("supervisor") or {}, now_ms)}
            values |= {**status, "supervisor": {**_steady(status.get("supervisor") or {}), **started}}
            if (status.get("journal") or {}).get("unacked") == 0:
                self._pulse.all_on_disk(now_ms - REPORTED_MS)
            actors = sorted(status.get("actors") or [], key=_place)
            values["actors"] = [_actor(actor, now_ms) for actor in actors]
            self._put("vitals", self._vitals.hear(actors, now_ms))
        self._put("status", values)

    def hear_pulse(self, now_ms: int) -> None:
        """Bring the figures of the last seconds up to date."""
        self._put("pulse", self._pulse.figures(now_ms))
        self._put("rates", {"types": self._pulse.by_type(now_ms)})

    def load_rounds(self, rounds: list[Round], newest: PricedRound | None) -> None:
        """Take the last rounds from disk; `newest` is shown until a round runs."""
        known = {one.game_id for one in rounds}
        self._rounds = sorted(
            [*rounds, *(one for one in self._rounds if one.game_id not in known)], key=lambda one: -one.seq
        )[:LAST_ROUNDS]
        if newest is not None:
            self.chart.finish(newest)
        self._put("rounds", {"list": [chip(one) for one in self._rounds]})

    def since(self, known: Known, view: View) -> tuple[dict[str, Any], Known]:
        """Return what a page lacks, by section, and what it has then."""
        self.settle()
        if view != "all":
            news = {name: self._sheets[name].since(known.version) for name in VIEWS.get(view, ())}
            news |= {
                "state": self._sheets["state"].since(known.version, PULSE_KEYS),
                "status": self._sheets["status"].since(known.version),
                "pulse": self._sheets["pulse"].since(known.version),
            }
            return _full_only(news), Known(self._version)
        news = {name: self._sheets[name].since(known.version) for name in ("state", "status", "pulse", "rounds")}
        chart, cursor = self.chart.since(known.chart)
        return _full_only({**news, "chart": chart or {}}), Known(self._version, cursor)

    def _hear(self, event: Event) -> bool:
        if event.type.startswith("system."):
            self.system.append(record(event.seq, event.ts * 1000, event.type.removeprefix("system."), event.data))
            return False
        if event.type == "game.tick" and event.game_id is not None:
            data: dict[str, Any] = msgspec.json.decode(event.data)
            tick, price = integer(data.get("tickCount")), number(data.get("price"))
            if tick is not None and price is not None:
                return self.chart.tick(event.game_id, tick, price, str(data.get("phase")))
        elif event.type == "game.completed" and (ended := from_event(event)) is not None:
            self.fresh[ended.game_id] = ended
            while len(self.fresh) > 12:  # two histories' worth; older ones are in Parquet
                self.fresh.pop(next(iter(self.fresh)))
            if self.chart.game_id == ended.game_id:
                self.chart.finish(ended)
            if all(one.game_id != ended.game_id for one in self._rounds):
                self.load_rounds([ended], None)
        return False

    def _put(self, section: str, values: dict[str, Any]) -> None:
        self._version += 1
        self._sheets[section].put(values, self._version)


def view(name: str | None) -> View:
    """Return the view of that name; everything for a name that is none."""
    for one in get_args(View):
        if one == name:
            return cast(View, one)
    return "all"


def window(sidebet: Any) -> dict[str, Any] | None:
    """Return a side bet's window from either spelling of its fields, None where it names no first tick."""
    bet = mapping(sidebet) or {}
    start = integer(bet.get("startTick", bet.get("startedAtTick")))
    if start is None:
        return None
    end = integer(bet.get("endTick", bet.get("end")), start + SIDEBET_TICKS)
    return {"start": start, "end": end, "amount": number(bet.get("betAmount"))}


def _place(actor: dict[str, Any]) -> tuple[int, str]:
    name = str(actor.get("name"))
    return list(ACTORS).index(name) if name in ACTORS else len(ACTORS), name


def _full_only(news: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: values for name, values in news.items() if values}


def _since(process: dict[str, Any], now_ms: int) -> int | None:
    uptime_s = process.get("uptime_s")
    return round(now_ms / 1000 - uptime_s) * 1000 if uptime_s is not None else None


def _steady(process: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in process.items() if key not in UNSHOWN}


def _actor(actor: dict[str, Any], now_ms: int) -> dict[str, Any]:
    last = actor.get("last_exit")
    words = {**last, "words": exit_words(last)} if last else None
    return {**_steady(actor), "startedAt": _since(actor, now_ms), "last_exit": words}
