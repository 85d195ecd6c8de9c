"""The process tree: starts children, hears them, notices deaths and hangs, restarts, stops in order.

In: child specs, reports from the children, exits from the kernel, requests from `control`. Out: processes, lines for
people (`say`), facts for the journal. One thread, and nothing in it waits: every wait is a descriptor in the loop or a
time in a child's `due`. Births and ends come from `nursery`; which restart when is decided in `restart`, the order in
`turnover`.
"""

import random
import signal
import time
from collections.abc import Callable, Sequence

import msgspec

from actors.core import streams
from actors.core.breadcrumb import read_breadcrumb
from actors.core.bus import Bus
from actors.core.clock import now_us
from actors.core.config import Config
from actors.core.log import log_path
from actors.core.loop import Loop
from actors.core.messages import Progress, Ready
from supervisor import restart
from supervisor.child import Child, LastExit
from supervisor.diary import Diary
from supervisor.endings import Endings
from supervisor.groups import Groups
from supervisor.logs import last_lines
from supervisor.nursery import REAP_S, Nursery
from supervisor.out_of_memory import OutOfMemory, counter_path
from supervisor.procfs import waited_s
from supervisor.restart import Verdict
from supervisor.spec import ChildSpec, Group
from supervisor.turnover import Turnover
from supervisor.words import duration, exit_figures

TICK_S = 1.0  # how often all is looked at when nothing is due
AGAIN_S = 0.2  # until what failed is tried again, what was not answered is sent again
SPAWN_S = 20.0  # the fork server's first imports take 0.3 s, more than 10 on a machine with a load of 40
SPAWN_WARM_S = 5.0  # after them it answers in milliseconds: one that was stopped is not waited for any longer
LATE_S = 0.3  # a turn of ours that came so much too late was our own fault, not the children's
LAST_LINES = 50

Say = Callable[[str], None]


class Tree:
    """All children of one supervisor."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        config: Config,
        *,
        demo: bool,
        say: Say,
        groups: Sequence[Group] = (),
        preload: Sequence[str] | None = None,
    ) -> None:
        self.config = config
        self.demo = demo
        self.loop = Loop()
        self.bus = Bus(config.runtime_path)
        self.children: dict[str, Child] = {spec.id: Child(spec) for spec in specs}
        self.say = say
        self.stopping = False
        ours = {spec.start.partition(":")[0] for spec in specs if spec.extra is None}
        modules = sorted(ours) if preload is None else preload
        self._nursery = Nursery(
            self.loop,
            config.runtime_path,
            modules,
            say=say,
            born=self._on_born,
            ended=self._on_exit,
            server_died=self._on_server_death,
        )
        self.diary = Diary(self.bus)
        self._groups = Groups(groups)
        self._endings = Endings(say, self._server_hangs)
        self._memory = OutOfMemory(counter_path())
        self._encoded = msgspec.msgpack.encode(config)
        self._reports = self.bus.inbox(streams.REPORTS)
        self._listening = False
        self._jobs: list[Turnover] = []
        self._going: list[Child] = []  # no longer in the plan, not yet down
        self._next_resend_s = 0.0
        self._next_look_s = 0.0
        self.loop.read(self.diary.results, self.diary.hear)

    def start(self) -> None:
        """Start the fork server and every child."""
        self._nursery.ensure()
        for child in self.children.values():
            self._start(child)

    def all_ready(self) -> bool:
        """Say whether every child does its work."""
        return all(child.is_ready for child in self.children.values())

    def stop(self) -> None:
        """Take everything down in the order of the flow; `finished` tells when."""
        if self.stopping:
            return
        self.stopping = True
        self._jobs = [Turnover([*self._going, *reversed(self.children.values())], ())]
        self._advance()

    def hurry(self) -> None:
        """Kill what is still there: whoever asked to stop asked again."""
        for child in self._everyone():
            if child.process is not None:
                self._endings.kill(child, time.monotonic())

    @property
    def finished(self) -> bool:
        """Whether a stop is complete."""
        return self.stopping and all(child.process is None for child in self._everyone())

    def restart(self, ids: Sequence[str], reason: str = "asked to") -> None:
        """Stop these children in the order of the flow, start them again, charge nothing; the journal learns why."""
        children = [child for child in self.children.values() if child.id in ids and not child.leaving]
        for child in children:
            self._groups.settled(child)
        if children and not self.stopping:
            self.diary.note("supervisor", "restarting", actors=[child.id for child in children], reason=reason)
            self._jobs.append(Turnover(reversed(children), children))
            self._advance()

    def replan(
        self, specs: Sequence[ChildSpec], config: Config, changed: set[str], groups: Sequence[Group] = ()
    ) -> None:
        """Take new specs, settings and groups; restart the children named in `changed`, add and remove the others."""
        self.config = config
        self._groups.replan(groups)
        self._encoded = msgspec.msgpack.encode(config)
        by_id = {spec.id: spec for spec in specs}
        going = [child for child in self.children.values() if child.id not in by_id]
        self._going += going
        coming = [Child(spec) for spec in specs if spec.id not in self.children]
        kept = {**self.children, **{child.id: child for child in coming}}
        for spec in specs:
            child = kept[spec.id]
            bounds = (spec.intensity, spec.period_s, spec.longest_wait_s)
            if bounds != (child.spec.intensity, child.spec.period_s, child.spec.longest_wait_s):
                child.history = restart.History(*bounds)
            child.spec = spec
        self.children = {spec.id: kept[spec.id] for spec in specs}
        self.restart(sorted(changed & set(self.children)), "settings changed")
        if going:
            self._jobs.append(Turnover(reversed(going), ()))
        for child in coming:
            self._start(child)
        self._advance()

    def turn(self) -> None:
        """One turn of the control loop: wait for what comes first, then do what is due."""
        began_s = time.monotonic()
        dues = [child.due_s for child in self._everyone() if child.due_s is not None]
        longest_s = AGAIN_S if self.diary.pending else TICK_S
        wait_s = min(longest_s, max(0.0, min(dues, default=began_s + longest_s) - began_s))
        self._listen(any(child.phase == "starting" for child in self.children.values()))
        self.loop.turn(wait_s)
        self.hear()
        now_s = time.monotonic()
        if (late_s := now_s - began_s - wait_s) > LATE_S:
            for child in self._everyone():
                child.progress_s += late_s
        for child in self._everyone():
            if child.due_s is not None and child.due is not None and child.due_s <= now_s:
                child.due(now_s)
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + REAP_S / 2
            self._nursery.look_for_unreported(self._everyone(), now_s)
            self._memory.look()
        if self.diary.pending and now_s >= self._next_resend_s:
            self._next_resend_s = now_s + AGAIN_S
            self.diary.resend()

    def close(self) -> None:
        """End the fork server and give everything back; the children must be down."""
        self._nursery.close()
        self.bus.close()
        self.loop.close()

    # Births.

    def _start(self, child: Child) -> None:
        if self.stopping or child.process is not None:  # two jobs may name the same child
            return
        now_s = time.monotonic()
        try:
            process = self._nursery.spawn(child, self._encoded, self.demo)
        except OSError as error:
            child.phase = "waiting"
            child.note = f"the fork server does not answer ({error}); tried again in a moment"
            child.at(now_s + AGAIN_S, lambda _: self._start(child))
            return
        child.began(process, now_s)
        limit_s = SPAWN_WARM_S if self._nursery.warm else SPAWN_S
        child.at(now_s + limit_s, lambda _: self._server_hangs(f"gave no process for {child.id}"))

    def _on_born(self, child: Child) -> None:
        if child.phase == "starting":
            limit_s = child.spec.start_timeout_s
            why = f"was not ready after {duration(limit_s)}"
            child.at(child.started_s + limit_s, lambda now_s: self._on_hang(child, why, now_s))
        elif child.phase == "stopping" and child.process is not None:
            child.process.send_signal(signal.SIGTERM)

    def _listen(self, wanted: bool) -> None:
        """Wake up for each report only while somebody is starting; else they are read when something is due."""
        if wanted and not self._listening:
            self.loop.read(self._reports, self.hear)
        elif self._listening and not wanted:
            self.loop.forget(self._reports)
        self._listening = wanted

    def hear(self) -> None:
        """Take what the children have reported."""
        now_s = time.monotonic()
        while (report := self._reports.receive()) is not None:
            child = self.children.get(report.actor)
            if child is None or child.pid != report.pid:
                continue
            if isinstance(report, Ready):
                if child.phase == "starting":
                    self._on_ready(child, now_s)
            elif isinstance(report, Progress):
                child.said_progress(report.count, report.stats, min(now_s, report.at_s or now_s))
                if child.phase == "ready" and now_s - child.waiting_noted_s > child.patience_s / 4:
                    child.note_waiting(waited_s(report.pid), now_s)

    def _on_ready(self, child: Child, now_s: float) -> None:
        child.said_ready(now_s)
        self._watch(child, now_s)
        if child.died_s is not None:
            after_ms = round((now_s - child.died_s) * 1000)
            child.died_s = None
            self.say(f"{child.id} is ready again, {after_ms} ms after its end")
            self.diary.note(child.id, "restarted", pid=child.pid, restarts=child.restarts, after_ms=after_ms)

    def _watch(self, child: Child, now_s: float) -> None:
        """Look whether a ready child makes progress, and come back when that could have changed."""
        if child.history.crash_looping and child.history.stable(now_s, child.ready_s):
            child.history.settled()
            self.say(f"{child.id} runs steadily again")
        limit_s = child.patience_s
        child.forgive_waiting(waited_s(child.pid) if child.pid is not None else 0.0, now_s)
        if now_s - child.progress_s >= limit_s:
            self._on_hang(child, f"made no progress for {duration(limit_s)}", now_s)
            return
        due_s, steady = child.progress_s + limit_s, not child.history.crash_looping
        due_s = due_s if steady else min(due_s, (child.ready_s or now_s) + child.spec.period_s)
        child.at(due_s, lambda at_s: self._watch(child, at_s), moves_with_progress=steady)

    def _on_hang(self, child: Child, why: str, now_s: float) -> None:
        working_on = read_breadcrumb(self.config.runtime_path, child.id)
        why = f"{why}, working on {working_on}" if working_on else why
        self.diary.note(child.id, "hung", pid=child.pid, reason=why)
        self._endings.hung(child, why, now_s)

    def _on_exit(self, child: Child, code: int | None) -> None:
        now_s = time.monotonic()
        pid, ready_s, deliberate = child.pid, child.ready_s, child.leaving
        lines = last_lines(log_path(self.config.runtime_path, child.id), LAST_LINES)
        working_on = read_breadcrumb(self.config.runtime_path, child.id) if code is None or code < 0 else ""
        exit_ = LastExit(code, now_us() // 1000, lines, self._was_out_of_memory(child, code), working_on)
        child.ended(exit_, now_s)
        if deliberate:
            self._nursery.down(child)
            child.note = "was stopped"
            self._advance()
            return
        self._on_death(child, exit_, ready_s, now_s)
        if child.process is None:
            self._nursery.down(child)
        self.diary.note(child.id, "exited", pid=pid, **exit_figures(code), reason=exit_.words, state=child.state)

    def _was_out_of_memory(self, child: Child, code: int | None) -> bool | None:
        """Say whether the kernel killed it for memory; None where nobody can tell."""
        if code != -signal.SIGKILL or child.killed:
            return False
        return self._memory.struck() if self._memory.known else None

    def _on_death(self, child: Child, exit_: LastExit, ready_s: float | None, now_s: float) -> None:
        how = exit_.words
        if not restart.restarts(child.spec.restart, exit_.code):
            child.note = f"{how}, and is {child.spec.restart}"
            self.say(f"{child.id} {how}; it is {child.spec.restart} and stays down")
            return
        was_looping = child.history.crash_looping
        verdict = self._groups.judge(child, list(self.children.values()), now_s, ready_s, random.random())  # noqa: S311 - jitter
        child.restarts += 1
        words = ["crash-looping" if not was_looping else "still crash-looping"] if verdict.crash_looping else []
        words += [f"its group {child.spec.group} is past its bounds and goes down"] if verdict.escalated else []
        wait = f"; next try in {duration(verdict.delay_s)}" if verdict.delay_s else "; starting it again"
        self.say(", ".join([f"{child.id} {how}", *words]) + wait)
        self._carry_out(verdict, child, now_s)

    def _carry_out(self, verdict: Verdict, dead: Child, now_s: float) -> None:
        """Take the dead child's group down as far as the verdict says, and start what it names, now or later."""
        not_before_s = now_s + verdict.delay_s if verdict.delay_s else None
        dead.phase, dead.note = "waiting", "waits until its group is down, to start with it"
        if verdict.stop or not_before_s is None:
            stop, start = ([self.children[name] for name in names] for names in (verdict.stop, verdict.start))
            self._jobs.append(Turnover(stop, start, not_before_s=not_before_s))
        if not_before_s is not None:
            self._start_at(dead, not_before_s)
        self._advance()

    def _start_at(self, child: Child, not_before_s: float | None) -> None:
        """Start a child now, or have it wait: each on its own, in the order of the plan."""
        if not_before_s is None:
            self._start(child)
        elif child.process is None:
            child.phase, child.leaving = "waiting", False
            child.note = "waits for its turn to start again, with its group"
            child.at(not_before_s, lambda _: self._start(child))

    def _advance(self) -> None:
        for job in list(self._jobs):
            job.advance(self._endings.stop, self._start_at)
        self._jobs = [job for job in self._jobs if not job.done]
        self._going = [child for child in self._going if child.process is not None]

    def _server_hangs(self, why: str) -> None:
        self._nursery.kill_server(why)
        for child in self._everyone():
            if child.process is not None:  # who waits for a restart goes on waiting
                child.at(None, None)

    def _on_server_death(self) -> None:
        """All children die with it: one event, nobody's restart intensity is charged."""
        self.say("the fork server died, and all actors with it; starting them again")
        running = [child for child in self._everyone() if child.process is not None]
        coming = {child.id for job in self._jobs for child in job.starts}
        coming |= {child.id for child in running if not child.leaving}
        for child in running:
            child.phase = "stopping"
            child.restarts += child.id in coming and not self.stopping
            self._endings.kill(child, time.monotonic())
        if self.stopping:
            return
        again = [child for child in self.children.values() if child.id in coming]
        self._jobs = [Turnover(running, again, at_once=True)]
        self.diary.note("fork-server", "exited", actors=sorted(coming))
        self._advance()

    def _everyone(self) -> list[Child]:
        """Return all children, those on their way out of the plan too."""
        return [*self.children.values(), *self._going]
