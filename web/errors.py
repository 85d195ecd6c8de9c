"""What goes wrong in a request, in words for a person and a code for a program (contract 4.8).

Raised by routes; turned into `{"error": {"code", "message", "details"}}` or a page in one place, `web/app.py`.
"""

from typing import Any


class Refused(Exception):
    """A request that cannot be done: the HTTP status, a code that programs may rely on, and what to do about it."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}


def body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the object every API error has."""
    return {"error": {"code": code, "message": message, "details": details or {}}}
