"""The terminal as everything that a command prints reaches it: control characters shown, never obeyed.

In: text of any origin, through `sys.stdout` and `sys.stderr`: lines, errors, tracebacks. Out: the same with escapes for
control characters. Tables with colours go past it by `console()`, and make each cell printable themselves.
"""

import io
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from actors.core.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


class PrintableStream(io.TextIOWrapper):
    """A text stream that writes control characters as escapes; tabs and line feeds stay."""

    def write(self, text: str) -> int:
        """Write the text; return its length, as a stream must."""
        super().write(printable(text, lines=True))
        return len(text)


def install_printable_streams() -> None:
    """Put the standard streams behind the escapes, for the rest of the process."""
    sys.stdout, sys.stderr = _behind_escapes(sys.stdout), _behind_escapes(sys.stderr)


def echo_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    import msgspec

    click.echo(msgspec.json.encode(value, enc_hook=str).decode())


def console() -> "Console":
    """Return a console for tables, whose colours reach the terminal. What is printed there must be printable."""
    from rich.console import Console

    sys.stdout.flush()
    raw = sys.__stdout__ if isinstance(sys.stdout, PrintableStream) else sys.stdout
    return Console(file=raw, markup=False, highlight=False)


def _behind_escapes(stream: TextIO) -> TextIO:
    if isinstance(stream, PrintableStream) or not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    return PrintableStream(
        stream.buffer, encoding=stream.encoding, errors="backslashreplace", line_buffering=stream.line_buffering
    )
