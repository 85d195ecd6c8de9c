"""Tiny actors for the tests of the tree: each shows one way to live or to die."""

import os
import signal
import socket
import time

from actors.core.breadcrumb import Breadcrumb
from actors.core.files import replace_file
from actors.core.runtime import Context


def works(context: Context) -> None:
    """Be ready and idle until told to stop."""
    context.ready()
    context.run_loop()


def fails_at_once(context: Context) -> None:
    """Die of an exception before being ready."""
    raise RuntimeError("these are my last words")


def ends_well(context: Context) -> None:
    """Be ready, then end with code 0."""
    context.ready()


def dies_after_ready(context: Context) -> None:
    """Be ready, then die 1.1 s later, as a thing that supervisord never catches."""
    context.loop.every(1.1, lambda: os._exit(3))
    context.ready()
    context.run_loop()


def never_ready(context: Context) -> None:
    """Work, but never say so."""
    context.run_loop()


def ignores_sigterm(context: Context) -> None:
    """Go on for ever, whatever it is told."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    context.ready()
    context.run_loop()


def spins(context: Context) -> None:
    """Be ready, then stay in a handler for ever."""

    def endless() -> None:
        while True:
            time.monotonic()

    context.loop.every(0.3, endless)
    context.ready()
    context.run_loop()


def spins_at_a_frame(context: Context) -> None:
    """Ready, then never done with a piece of work that it named."""
    Breadcrumb(context.runtime_dir, context.name).leave("a received frame of 300000 bytes of wss://evil.example/")
    spins(context)


def tells(context: Context) -> None:
    """Write down when its code began to run and when it was ready, in monotonic nanoseconds."""
    code_ns = time.monotonic_ns()
    context.ready()
    replace_file(
        context.runtime_dir / f"{context.name}.times", f"{code_ns} {time.monotonic_ns()}".encode(), durable=False
    )
    context.run_loop()


def receives_for_ever(context: Context) -> None:
    """Be ready, then wait in a handler for a message that never comes."""
    ours, theirs = socket.socketpair()

    def deaf() -> None:
        with theirs:
            ours.recv(1)

    context.loop.every(0.3, deaf)
    context.ready()
    context.run_loop()


def computes_in_c(context: Context) -> None:
    """Be ready, then call something in C that does not come back for a long time and holds the interpreter."""

    def busy_in_c() -> None:
        sum(range(10**11))

    context.loop.every(0.3, busy_in_c)
    context.ready()
    context.run_loop()


def fails_once_told(context: Context) -> None:
    """Be ready, and die of code 1 as soon as there is a file `<name>.fail`."""
    order = context.runtime_dir / f"{context.name}.fail"

    def look() -> None:
        if order.exists():
            os._exit(1)

    context.loop.every(0.02, look)
    context.ready()
    context.run_loop()


def exits_at_once(context: Context) -> None:
    """Do nothing, and end with code 1."""
    os._exit(1)


def talks(context: Context) -> None:
    """Write more into the log than a pipe holds."""
    for number in range(1000):
        context.log.info("word %d %s", number, "x" * 200)
    context.ready()
    context.run_loop()


def orphans(context: Context) -> None:
    """Have a grandchild that ends when its parent is gone, and write down its pid."""
    if os.fork() == 0:
        grandchild = os.fork()
        if grandchild:
            replace_file(context.runtime_dir / f"{context.name}.orphan", str(grandchild).encode(), durable=False)
        os._exit(0)
    os.wait()
    context.ready()
    context.run_loop()


def speaks_and_dies(context: Context) -> None:
    """Be ready, say sixty lines on standard error, and die."""
    context.ready()
    for number in range(60):
        os.write(2, f"these are my last words, {number}\n".encode())
    os._exit(7)


def is_punctual(context: Context) -> None:
    """Want to be called every 10 ms, and write down by how many milliseconds each call was late."""
    every_s = 0.01
    due_s = time.monotonic() + every_s
    path = context.runtime_dir / f"{context.name}.late"

    def called() -> None:
        nonlocal due_s
        with path.open("a") as file:
            file.write(f"{max(0.0, time.monotonic() - due_s) * 1000:.3f}\n")
        due_s = time.monotonic() + every_s

    context.loop.every(every_s, called)
    context.ready()
    context.run_loop()
