"""What the journal makes of what it hears. Pure: owns no socket, clock or file.

In: batches of the captures, submitted notes. Out: one `Batch` of numbered records at a time, to be written before
anything else is done with it. Decides which sockets count, numbers what is kept, tells doubles from news, and says
where the game was not seen (`sight.py`).
"""

from collections.abc import Iterable

import msgspec

from actors.core import messages as m
from actors.core.blocks import Cut
from actors.core.segments import Batch, Mark
from actors.journal.admission import StreamAdmission
from actors.journal.braid import Braid
from actors.journal.judge import is_handshake, refusal
from actors.journal.memory import DAMAGE_KEPT, Memory, Session
from actors.journal.merge import SKEW_S, Merged
from actors.journal.page_notes import PageNotes
from actors.journal.sight import Sight

_json = msgspec.json.Encoder()


class JournalCore:
    """Captured items and submitted notes in, batches out."""

    def __init__(self, memory: Memory, socket_pattern: str, epoch: int, *, standby: bool = False) -> None:
        """memory: as recovered from disk; epoch: of this journal process; standby: two captures read the same."""
        self.memory = memory
        self._braid = Braid(SKEW_S if standby else 0.0)
        self._received = {session.incarnation: session.n for session in memory.sessions.values()}
        self._since_s: dict[int, float] = {}  # attaches that this process heard of, CDP seconds
        self._pages = PageNotes()
        self._read_until_s: dict[int, float] = {}  # by incarnation, CDP seconds
        self._moved: dict[int, set[str]] = {}  # streams whose place changed since the last mark, by incarnation
        self._sight = Sight(memory, self.note)
        self.epoch = epoch
        self.refused = 0  # capture batches of another epoch, or with a hole: they are sent again
        self.ignored_frames = 0
        self._admission = StreamAdmission(memory, socket_pattern)
        self._nacks: dict[int, int] = {}
        self._records: list[m.Record] = []
        self._commands: list[tuple[str, int]] = []
        self._ignored: list[str] = []
        self._marks: dict[int, Mark] = {}
        self._after = memory.head
        self._refusal = (0, 0, "")  # from, to, why the disk refused

    def restore(self, frames: Iterable[m.Frame], now_s: float) -> None:
        """Take up the merge where the journal's files end. frames: their tail, rising."""
        self._braid.restore(frames, self.memory.sessions.values(), now_s)
        self._sight.restore(now_s)

    def take(self, batch: m.CaptureBatch, wall_minus_monotonic_s: float, now_s: float) -> bool:
        """Take what is new in a capture's batch; False where it has to be sent again. now_s: monotonic."""
        session = self._session(batch, now_s)
        if self._sight.hear(batch.incarnation, now_s):
            self._braid.silence(batch.incarnation, False)
        received = self._received[batch.incarnation]
        if batch.epoch != self.epoch or batch.nack != self._nacks.get(batch.incarnation, 0):
            self.refused += 1
            return False
        if batch.after > received:
            self._nacks[batch.incarnation] = batch.nack + 1
            self.refused += 1
            return False
        self._admission.take(batch)
        for item in batch.items:
            if item.n > received and not self._handle(item, session, now_s):
                return self._send_back(item, batch, session)
        self._received[batch.incarnation] = max(received, batch.upto)
        self._braid.covered_s = self._covered_s(batch)
        read_until_us = int((batch.read_until_s + wall_minus_monotonic_s) * 1_000_000)
        self._note_omitted(read_until_us)
        self._settle(session, read_until_us, mark=bool(batch.items))
        return True

    def _send_back(self, item: m.Captured, batch: m.CaptureBatch, session: Session) -> bool:
        """Have a capture send a batch again from an item on, with the URLs of its streams: one was forgotten here."""
        self._received[batch.incarnation] = item.n - 1
        self._nacks[batch.incarnation] = batch.nack + 1
        self.refused += 1
        self._settle(session, session.read_until_us, mark=True)
        return False

    def _covered_s(self, batch: m.CaptureBatch) -> float:
        """Return the CDP time up to which no capture can bring another copy of anything."""
        self._read_until_s[batch.incarnation] = max(self._read_until_s.get(batch.incarnation, 0.0), batch.read_until_s)
        return min((self._read_until_s.get(s.incarnation, 0.0) for s in self.memory.attached), default=0.0)

    def tick(self, now_s: float) -> None:
        """Decide what a merge may not put off any longer."""
        for merged in self._braid.decide(now_s):
            self._place(merged)
        for session in self.memory.sessions.values():
            if session.incarnation in self._moved:
                self._settle(session, session.read_until_us, mark=True)

    def watch(self, now_s: float) -> None:
        """Find captures that say nothing any more: nobody waits for them. Call often, but not while taking nothing."""
        for incarnation in self._sight.watch(now_s):
            self._braid.silence(incarnation, True)

    @property
    def holding(self) -> bool:
        """Whether frames wait for a decision of the merge: call `tick` again soon."""
        return self._braid.holding

    @property
    def ambiguous(self) -> int:
        """How many times the merge had to guess."""
        return self._braid.ambiguous

    def _settle(self, session: Session, read_until_us: int, *, mark: bool) -> None:
        """Note how far the session is safely in: all before the first frame that is held back."""
        held = self._braid.first_held(session.incarnation)
        session.n = self._received[session.incarnation] if held is None else held.n - 1
        session.read_until_us = max(session.read_until_us, read_until_us if held is None else held.at_us)
        if mark:
            moved = self._moved.pop(session.incarnation, set())
            known = self._marks.get(session.incarnation)
            moved |= {stream for stream, _, _ in known.places} if known is not None else set()
            places = [(stream, *session.places[stream]) for stream in moved]
            self._marks[session.incarnation] = Mark(
                session.capture, session.incarnation, session.n, session.read_until_us, session.other_n, places
            )
            self.memory.prune_places(session)

    def submit(self, note: m.Submit) -> m.Committed | None:
        """Take a submitted note; return the answer where there is one already: done before, or refused."""
        if note.id in self.memory.commands:
            return m.Committed(id=note.id, seq=self.memory.commands[note.id])
        error = refusal(note)
        if error is not None:
            return m.Committed(id=note.id, seq=0, error=error)
        seq = self._append(m.Note(self._next_seq, note.at_us, note.event, note.data))
        self.memory.commands[note.id] = seq
        self._commands.append((note.id, seq))
        return None

    def note(self, at_us: int, event: str, **data: object) -> int:
        """Append a note of the journal's own; return its number."""
        return self._append(m.Note(self._next_seq, at_us, event, _json.encode(data)))

    def refused_by_disk(self, from_us: int, to_us: int, cause: str | None = None) -> None:
        """Remember that nothing could be written then: what the captures lost in that time, they lost by it."""
        self._refusal = (from_us, to_us, cause or self._refusal[2])

    def damaged(self, now_us: int, place: str, cut: Cut, times: tuple[int | None, int | None]) -> int | None:
        """Tell that bytes of the journal cannot be read; None where that was told before. Returns the note's number.

        place: segment and offset, told once. times: of the last record before and the first one after, Unix
        microseconds, None where there is none.
        """
        if place in self.memory.damage or len(self.memory.damage) >= DAMAGE_KEPT:
            return None
        if cut.torn or (cut.upto is not None and cut.after >= cut.upto):  # never seen, or no records in it
            return self.note(now_us, "journal", what="damage", place=place, bytes=cut.size, cause=cut.reason)
        from_us = times[0] if times[0] is not None else times[1] if times[1] is not None else now_us
        to_us = times[1] if times[1] is not None else now_us
        return self.note(
            now_us, "gap", from_us=from_us, to_us=max(from_us, to_us), cause="damaged journal", place=place,
            bytes=cut.size, detail=cut.reason, first_seq=cut.after + 1, last_seq=cut.upto,
        )  # fmt: skip

    def skip_to(self, seq: int) -> None:
        """Go on numbering after `seq`: the numbers up to it may have been seen by somebody. Only before any record."""
        self.memory.head = self._after = max(self.memory.head, seq - seq % m.SEQ_STEP)

    def batch(self) -> Batch | None:
        """Return all that came since the last call as one batch to write, None where nothing did."""
        if not (self._records or self._marks or self._commands or self._ignored):
            return None
        batch = Batch(
            self._after, self.memory.head, self._records, list(self._marks.values()), self._commands, self._ignored
        )
        self._records, self._commands, self._ignored, self._marks = [], [], [], {}
        self._after = self.memory.head
        return batch

    def positions(self, acked: dict[int, int]) -> m.CapturePositions:
        """Return how far each capture incarnation is; acked: what is synced, by incarnation."""
        return m.CapturePositions(
            epoch=self.epoch,
            positions=[
                m.CapturePosition(
                    s.incarnation,
                    self._nacks.get(s.incarnation, 0),
                    self._received.get(s.incarnation, 0),
                    acked.get(s.incarnation, 0),
                )
                for s in self.memory.sessions.values()
            ],
            answers=self._admission.answers(),
        )

    @property
    def _next_seq(self) -> int:
        return self.memory.head + m.SEQ_STEP

    def _append(self, record: m.Record) -> int:
        self._records.append(record)
        self.memory.apply_record(record)
        return record.seq

    def _session(self, batch: m.CaptureBatch, now_s: float) -> Session:
        known = self.memory.sessions.get(batch.incarnation)
        if known is not None:
            return known
        session = self.memory.session(batch.capture, batch.incarnation)
        self._received[batch.incarnation] = 0
        self._marks[batch.incarnation] = Mark(batch.capture, batch.incarnation, 0, 0)
        for older in [s for s in self.memory.attached if s.capture == batch.capture and s is not session]:
            how = f" while working on {batch.predecessor}" if batch.predecessor else ""
            self._detach(older, older.read_until_us, f"{older.capture} died{how}", now_s)
        return session

    def _handle(self, item: m.Captured, session: Session, now_s: float) -> bool:
        """Take an item; False where it must come again, with its stream's URL."""
        if isinstance(item, m.FrameSeen):
            return self._frame(item, session, now_s)
        if item.n > session.other_n:  # else taken before a restart, and sent again with the frames after it
            self._other(item, session, now_s)
        return True

    def _other(self, item: m.Captured, session: Session, now_s: float) -> None:
        session.other_n = item.n
        if isinstance(item, m.StreamOpened):
            self._opened(item, session, now_s)
        elif isinstance(item, m.StreamClosed):
            self._closed(item)
        elif isinstance(item, m.Attached):
            self._attach(item, session)
        elif isinstance(item, m.Detached):
            self._detach(session, item.at_us, item.cause, now_s)
        elif isinstance(item, m.PageChanged):
            self._page(item, session)
        elif isinstance(item, m.Pressed):
            if not self.memory.is_pressed(item.key, item.at_us):  # the other capture tells of it too
                self._append(m.Note(self._next_seq, item.at_us, "press", item.data))
        elif isinstance(item, m.Lost):
            cause = f"{session.capture} could not keep more while the journal was away"
            from_us, to_us, why = self._refusal
            if item.since_us <= to_us and item.at_us >= from_us:
                cause = why
            self._admission.lost(session.incarnation)
            self._sight.gap(item.since_us, item.at_us, cause, items=item.count, capture=session.capture)

    def _frame(self, item: m.FrameSeen, session: Session, now_s: float) -> bool:
        """Merge a frame of a stream that counts; one that is unknown does not, whatever it carries."""
        if self.memory.url_of(item.stream) is None:
            url = self._admission.named(item.stream, session.incarnation)
            if url is None:
                self.ignored_frames += 1
                return not self._admission.seek(item.stream, session.incarnation)
            self.note(item.at_us, "connection", what="found", stream=item.stream, url=url)
        if item.n <= session.places.get(item.stream, (0, 0))[0]:
            return True  # taken before a restart
        since_s = self._since_s.get(session.incarnation, 0.0)
        for merged in self._braid.frame(session.incarnation, item, since_s, now_s):
            self._place(merged)
        return True

    def _place(self, merged: Merged) -> None:
        """Store a fresh frame; remember of either kind where its capture stands."""
        item: m.FrameSeen = merged.item
        session = self.memory.sessions.get(merged.session)
        if merged.fresh:
            seq: int | None = self._store(item, session)
            self._braid.number(merged, seq or 0)
        else:
            seq = self._braid.number_of(merged)
        if session is not None and seq is not None:
            session.places[item.stream] = (item.n, seq)
            moved = self._moved.get(merged.session)
            if moved is None:
                self._moved[merged.session] = {item.stream}
            else:
                moved.add(item.stream)
        if merged.ambiguous:
            cause = "several alignments of the two captures fit; a frame may be stored twice or missing"
            self.note(item.at_us, "merge", what="ambiguous", stream=item.stream, seq=seq, cause=cause)

    def _store(self, item: m.FrameSeen, session: Session | None) -> int:
        if self.memory.lost_since_us is not None and not is_handshake(item.payload, sent=item.sent):
            self._sight.frame(item.at_us, session)
        stream = self.memory.streams.get(item.stream)
        if stream is not None and not stream.open:
            self.note(item.at_us, "connection", what="resumed", stream=item.stream, url=stream.url)
        frame = m.Frame(
            self.memory.head + m.SEQ_STEP, item.at_us, item.stream, item.sent, item.opcode, item.payload,
            item.redacted, item.cdp_s,
        )  # fmt: skip
        return self._append(frame)

    def _opened(self, item: m.StreamOpened, session: Session, now_s: float) -> None:
        if not self._admission.counts(item.url):
            self._ignore(item.stream)
            return
        whole = item.transport == "websocket"
        self._braid.opened(item.stream, session.incarnation, item.cdp_s, now_s, whole=whole)
        if self.memory.url_of(item.stream) is not None:
            return  # the other capture said so
        self.note(item.at_us, "connection", what="opened", stream=item.stream, url=item.url, transport=item.transport)

    def _ignore(self, stream: str) -> None:
        self.memory.ignore(stream)
        self._ignored.append(stream)

    def _closed(self, item: m.StreamClosed) -> None:
        if item.stream in self.memory.streams and self.memory.streams[item.stream].open:
            was_connected = self.memory.connected
            self.note(item.at_us, "connection", what="closed", stream=item.stream, cause=item.cause)
            if was_connected and not self.memory.connected:
                self._sight.lose(item.at_us, item.cause)

    def _attach(self, item: m.Attached, session: Session) -> None:
        self._since_s[session.incarnation] = item.cdp_s
        self.note(item.at_us, "connection", what="attached", capture=session.capture, guid=item.guid,
                  incarnation=session.incarnation)  # fmt: skip

    def _detach(self, session: Session, at_us: int, cause: str, now_s: float) -> None:
        self._sight.forget(session.incarnation)
        self._admission.forget(session.incarnation)
        self._read_until_s.pop(session.incarnation, None)
        was_connected = self.memory.connected
        held = self._braid.first_held(session.incarnation)
        for merged in self._braid.detach(session.incarnation, now_s):
            self._place(merged)
        if session.guid is not None:
            self.note(at_us, "connection", what="detached", capture=session.capture, guid=session.guid,
                      incarnation=session.incarnation, cause=cause)  # fmt: skip
        seen_until_us = at_us if held is None else min(at_us, held.at_us)
        if was_connected and not self.memory.connected:
            self._sight.lose(seen_until_us, cause)
        elif was_connected:
            self._sight.uncovered(seen_until_us, cause)

    def _page(self, item: m.PageChanged, session: Session) -> None:
        if not self._pages.is_fresh(item, session.incarnation, self.memory.attached):
            return
        if self._pages.admits(item.at_us):
            self.note(item.at_us, "connection", what=f"page {item.what}", target=item.target, url=item.url)

    def _note_omitted(self, now_us: int) -> None:
        """Note, once a minute, how many pages came and went beyond what is noted of them."""
        omitted = self._pages.omitted(now_us)
        if omitted is not None:
            self.note(now_us, "connection", what="pages omitted", since_us=omitted[0], count=omitted[1])
