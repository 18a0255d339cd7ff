"""Errors: one hierarchy under `Error`, mapped from the core in one place.

>>> import otolith as oto
>>> try:
...     oto.open(":memory:")["quotes"]
... except KeyError as error:
...     error.code
'not_found'
"""

from __future__ import annotations

import operator
import os
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type

import numpy as np

from otolith import _core

_SHOWN = 80  # characters of a value in a message
_COUNT_MAX = 2**63 - 1
_INT_BITS_SHOWN = 200  # some 60 digits


class Error(Exception):
    """A failed call; the message names the thing, what was expected and the remedy.

    `code` is the kind of failure, `where` a dict of `file`, `offset` and `commits` where they are
    known (else None), `outcome` is "failed", or "unknown" where a commit may have taken effect;
    `differences` lists what stands against a rollback or a revert, and is empty otherwise.

    >>> oto.Error("the disk is on fire").outcome
    'failed'
    """

    code: str = "error"
    differences: List[str]

    def __init__(
        self,
        message: str,
        where: Optional[Dict[str, Any]] = None,
        outcome: str = "failed",
        differences: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.outcome = outcome
        self.differences = list(differences)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.where, self.outcome, self.differences)


class NotFound(Error, KeyError):
    """The named dataset, commit, tag or file does not exist."""

    code = "not_found"


class Conflict(Error):
    """Another commit or name stands against this one; nothing was changed. Of a rollback or a
    revert `differences` says what does, a sentence each.
    """

    code = "conflict"


class Corrupt(Error):
    """Bytes on disk fail their checksum; `where` says which. Everything undamaged stays
    readable.
    """

    code = "corrupt"


class InvalidArgument(Error, ValueError):
    """The call itself is wrong; the message names the argument."""

    code = "invalid_argument"


class IoError(Error, OSError):
    """The operating system refused or failed a call."""

    code = "io"


class NoSpace(IoError):
    """The disk is full, or a quota is reached; works again once there is space."""

    code = "no_space"


class Locked(Error):
    """Another process holds the append lock for longer than `lock_wait`."""

    code = "locked"


class UnsupportedFormat(Error):
    """Written by a newer Otolith, or needs a feature that this build does not have."""

    code = "unsupported_format"


class Unauthorized(Error, PermissionError):
    """The caller may not do this."""

    code = "unauthorized"


class Cancelled(Error):
    """The caller stopped it."""

    code = "cancelled"


class SnapshotExpired(Error):
    """The commit asked for is no longer retained."""

    code = "snapshot_expired"


class LimitExceeded(Error):
    """A stated maximum was exceeded; the message names it."""

    code = "limit"


_BY_CODE: Dict[str, Type[Error]] = {
    kind.code: kind
    for kind in (
        NotFound, Conflict, Corrupt, InvalidArgument, IoError, NoSpace, Locked,
        UnsupportedFormat, Unauthorized, Cancelled, SnapshotExpired, LimitExceeded,
    )
}  # fmt: skip


def from_core(
    code: str,
    message: str,
    file: str,
    offset: Optional[int],
    commits: List[int],
    outcome: str,
    differences: Sequence[str] = (),
) -> Error:
    """The exception of an otolith::Error; the compiled module raises what this returns."""
    where: Optional[Dict[str, Any]] = None
    if file or offset is not None or commits:
        where = {"file": file or None, "offset": offset, "commits": commits}
        message += f" (at {place(where)})"
    return _BY_CODE.get(code, Error)(message, where, outcome, differences)


def place(where: Dict[str, Any]) -> str:
    """File, offset and commits in words; empty where nothing is known."""
    parts = []
    if where["file"]:
        parts.append(f"file {where['file']}")
    if where["offset"] is not None:
        parts.append(f"offset {where['offset']}")
    if where["commits"]:
        parts.append("commits " + ", ".join(map(str, where["commits"])))
    return ", ".join(parts)


def quoted(name: object) -> str:
    """A name for a message: quoted, escaped, shortened."""
    return _core.quoted(name) if isinstance(name, str) and name.isprintable() else shown(name)


def shown(value: object) -> str:
    """Any value for a message: its repr, shortened; a repr that fails says the type alone.

    >>> shown("AAPL"), shown(10**5000)
    ("'AAPL'", '<int of 16610 bits>')
    """
    if isinstance(value, int) and value.bit_length() > _INT_BITS_SHOWN:
        return f"<int of {value.bit_length()} bits>"  # Python refuses to write out the longest
    if isinstance(value, (str, bytes)):
        value = value[:_SHOWN]  # the repr of a long one takes long
    try:
        text = repr(value)
    except Exception:  # of a class of the caller's, or holding an int that cannot be written out
        return f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def flag(option: str, value: object) -> bool:
    """True or False; InvalidArgument for what merely counts as one, such as "no"."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise InvalidArgument(f"{option}={shown(value)}: give True or False")


def count(option: str, value: Any) -> int:
    """A number of rows or commits; InvalidArgument unless it is an int from 0."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError("a truth value counts nothing")
        number = operator.index(value)
    except TypeError:
        raise InvalidArgument(f"{option}={shown(value)}: give an int") from None
    if not 0 <= number <= _COUNT_MAX:
        raise InvalidArgument(f"{option}={shown(number)}: give a number from 0 to {_COUNT_MAX}")
    return number


def is_utf8(text: str) -> bool:
    """False for text with lone surrogates, which nothing stored can hold."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def utf8(what: str, text: str) -> str:
    """Text that the core can take; InvalidArgument says of what it is where it cannot."""
    if not is_utf8(text):
        raise InvalidArgument(f"{what} {ascii(text)[:80]} is no UTF-8: take the lone surrogate out")
    return text


def printable(path: str) -> str:
    """A path for people; bytes of it that are no UTF-8 as \\xe9."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def nearest(name: object, names: Sequence[str]) -> str:
    """' (did you mean "x"?)', or nothing where no name is near."""
    return _core.nearest_hint(name, names) if isinstance(name, str) and is_utf8(name) else ""


def not_built(option: str, instead: str) -> InvalidArgument:
    """The refusal of an option whose feature does not exist yet."""
    return InvalidArgument(f"{option} is not built yet; {instead}")
