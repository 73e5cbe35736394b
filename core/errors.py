"""The five roots of every error Bianzhi raises on purpose, with what each door answers."""

from __future__ import annotations

from typing import Any


class BianzhiError(Exception):
    """Root of all; never raised itself. `details` are safe to show: no names, no ids, no secrets."""

    code = "error"
    http_status = 500
    exit_code = 1

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Refused(BianzhiError):
    """The user may act on it: not allowed, not found, wrong state."""

    code = "refused"
    http_status = 409
    exit_code = 10


class NotFound(Refused):
    """Unknown, or outside what this person may see: the two must look alike."""

    code = "not_found"
    http_status = 404


class Forbidden(Refused):
    """Seen, but not theirs to do."""

    code = "forbidden"
    http_status = 403


class InputRejected(BianzhiError):
    """What came in cannot be used; the message names file, row, column and remedy."""

    code = "input_rejected"
    http_status = 422
    exit_code = 11


class Unavailable(BianzhiError):
    """Something outside did not answer; trying again may help."""

    code = "unavailable"
    http_status = 503
    exit_code = 12


class Misconfigured(BianzhiError):
    """Found at start-up only: a setting is missing or wrong."""

    code = "misconfigured"
    http_status = 500
    exit_code = 13


class InvariantViolated(BianzhiError):
    """Our own books do not add up. Never caught below the edge; pages a person."""

    code = "invariant_violated"
    http_status = 500
    exit_code = 14
