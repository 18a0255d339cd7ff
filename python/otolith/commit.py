"""A commit as users see it, and lists of them."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any, Dict, List, Optional, Tuple

from otolith import _core
from otolith.display import LINES_SHOWN, html_table, outer
from otolith.errors import InvalidArgument, shown, utf8
from otolith.status import Progress, progress_of
from otolith.times import utc_datetime

_CHANGES_SHOWN = 8  # datasets of one commit


class Commit:
    """One atomic change of any datasets; immutable. Number 0 is the empty database.

    >>> db = oto.open(":memory:")
    >>> table = db.create_table("quotes", {"time": "timestamp"}, author="ana")
    >>> c = table.append({"time": "2026-01-05"}, author="ana", message="morning")
    >>> c.number, c.author, c.message, c.changes
    (2, 'ana', 'morning', {'quotes': (1, 0)})
    >>> c.parent == db.at(1).commit.hash
    True
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Commit) -> None:
        self._core = core

    @property
    def number(self) -> int:
        """Its place in the history: 1, 2, 3, …"""
        return self._core.number

    @property
    def hash(self) -> str:
        """64 hex digits: the chain of everything up to here."""
        return self._core.hash

    @property
    def parent(self) -> str:
        """The hash of the commit before."""
        return self._core.parent

    @property
    def time(self) -> datetime.datetime:
        """When it was made, in UTC, cut to microseconds; never before its parent's."""
        return utc_datetime(self._core.time_ns)

    @property
    def time_ns(self) -> int:
        """When it was made, in ns since 1970 UTC."""
        return self._core.time_ns

    @property
    def author(self) -> str:
        """Who made it."""
        return self._core.author

    @property
    def message(self) -> str:
        """Why it was made."""
        return self._core.message

    @property
    def extra(self) -> Any:
        """What was given as `extra=`; an empty dict where nothing was."""
        return json.loads(self._core.extra) if self._core.extra else {}

    @property
    def change_id(self) -> str:
        """32 hex digits; the same id is applied once."""
        return self._core.change_id

    @property
    def changes(self) -> Dict[str, Tuple[int, int]]:
        """Rows added and ended, by dataset; 0 and 0 where only its schema changed."""
        return {name: (added, ended) for name, (added, ended) in self._core.changes.items()}

    @property
    def ids(self) -> List[str]:
        """Ids of the documents put, in their order; of the commit that the put returned alone."""
        return self._core.ids

    @property
    def durable(self) -> bool:
        """True if it survives a power loss."""
        return self._core.durable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Commit) and (self.number, self.hash) == (other.number, other.hash)

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        if self.number == 0:
            return "Commit 0 (the empty database)"
        number, *parts = self._words()
        return "  ".join([f"Commit {number}", *(part for part in parts if part and part != "''")])

    def _repr_html_(self) -> str:
        return Log([self])._repr_html_()

    def _words(self) -> List[str]:
        """Its number, hash, time, author, message and changes, each on one line."""
        changes = [
            " ".join(
                [name, *([f"+{added:,}"] if added else []), *([f"-{ended:,}"] if ended else [])]
            )
            for name, (added, ended) in self.changes.items()
        ]
        more = len(changes) - _CHANGES_SHOWN
        return [
            str(self.number),
            self.hash[:8],
            self.time.strftime("%Y-%m-%d %H:%M:%SZ"),
            repr(self.author)[1:-1],  # what an author is called must not look like another line
            repr(self.message),
            ", ".join(changes[:_CHANGES_SHOWN] + ([f"… {more:,} more"] if more > 0 else [])),
        ]


class Log(List[Commit]):
    """Commits in a list that prints one per line, of many the first and the last."""

    def __repr__(self) -> str:
        if not self:
            return "no commits"
        lines = outer(self, None)
        more = f"… {len(self) - LINES_SHOWN:,} more commits"
        return "\n".join(more if commit is None else repr(commit) for commit in lines)

    def _repr_html_(self) -> str:
        heads = ["commit", "hash", "time", "author", "message", "rows"]
        rows = [["…"] * len(heads) if c is None else c._words() for c in outer(self, None)]
        return html_table(f"{len(self):,} commit{'s' * (len(self) != 1)}", heads, rows)


def commit_options(
    author: Any, message: Any, extra: Any, change_id: Any, progress: Progress = None
) -> _core.CommitOptions:
    """Checks what a writing verb says about its commit."""
    if change_id is not None:
        if not isinstance(change_id, (str, uuid.UUID)):
            raise InvalidArgument(f"change_id={shown(change_id)}: give 32 hex digits, or a UUID")
        change_id = utf8("change_id=", str(change_id).replace("-", "").lower())
    return _core.CommitOptions.make(
        optional_text("author", author),
        optional_text("message", message) or "",
        "" if extra is None else _json(extra),
        change_id,
        progress_of(progress, "row"),
    )


def optional_text(option: str, value: Any) -> Optional[str]:
    """Text or None; InvalidArgument names the option."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidArgument(f"{option}={shown(value)}: give text")
    return utf8(f"{option}=", value)


def _json(extra: Any) -> str:
    try:
        text = json.dumps(extra, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise InvalidArgument("extra= is nested too deeply; make it flatter") from None
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"extra= is kept as JSON, which cannot hold it: {error}") from None
    return utf8("extra=", text)
