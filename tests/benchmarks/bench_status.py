"""How fast `status` answers while all is well, an actor hangs, one stops slowly, and actors die in a storm.

Prints for each, in ms: the supervisor's answer (question and answer over the control channel) and the whole command
`vectra-supervisor status --json`, beside the control: an interpreter that does nothing. Run:
python -m tests.benchmarks.bench_status [rounds]
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from supervisor.ask import ask
from tests.supervisor.running import ROOT, Running, child, running, until


def timed(call: Callable[[], object], rounds: int) -> str:
    """Return p50 and the worst of so many calls, in ms."""
    took_ms = []
    for _ in range(rounds):
        began_s = time.monotonic()
        call()
        took_ms.append((time.monotonic() - began_s) * 1000)
    return f"p50 {median(took_ms):7.1f}  worst {max(took_ms):7.1f}"


def command(home: Path) -> None:
    """Call the command line once."""
    subprocess.run(
        [sys.executable, "-P", "-m", "vectra_player.entry", "status", "--json", "--data-dir", str(home)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, check=False, cwd=home,
    )  # fmt: skip


def row(name: str, supervisor: Running, rounds: int) -> None:
    """Print one case."""
    answer = timed(lambda: ask(supervisor.runtime_dir, "status", 10.0), rounds)
    whole = timed(lambda: command(supervisor.home), rounds)
    print(f"{name:<24} answer {answer}    command {whole}", flush=True)


def main() -> int:
    """Measure each case on a supervisor of its own kind of children."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"rounds {rounds}, load average {os.getloadavg()[0]:.1f}, ms")
    nothing = timed(lambda: subprocess.run([sys.executable, "-I", "-c", ""], check=False), rounds)
    print(f"{'control: bare python':<24} {'':33}    command {nothing}")
    works = [child(f"a{number}") for number in range(8)]
    patient = [child("hangs", hang_s=600), child("slow", "ignores_sigterm", shutdown_s=600)]
    with tempfile.TemporaryDirectory() as home, running(Path(home), [*works, *patient]) as supervisor:
        row("all is well", supervisor, rounds)
        os.kill(supervisor.pid("hangs"), signal.SIGSTOP)
        row("one hangs", supervisor, rounds)
        ask(supervisor.runtime_dir, "restart", 10.0, actor="slow")
        until(lambda: supervisor.actor("slow")["state"] == "stopping")
        row("and one stops slowly", supervisor, rounds)
        os.kill(supervisor.process.pid, signal.SIGKILL)
    storm = [child(f"bad-{number}", "fails_at_once", intensity=1000) for number in range(4)]
    limits = "supervisor.start_timeout_s=600"
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), [*works, *storm], limits, ready=False) as supervisor,
    ):
        until(lambda: (supervisor.runtime_dir / "supervisor.pid").exists())
        until(lambda: supervisor.actor("bad-0")["restarts"] > 5)
        row("four die in a storm", supervisor, rounds)
        print(f"  restarts in the storm: {sum(one['restarts'] for one in supervisor.status()['actors'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
