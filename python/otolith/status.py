"""What `status()` and `verify()` tell, and bars of progress."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Union

from otolith import _core
from otolith.errors import InvalidArgument, place, printable, shown

Progress = Union[None, bool, Callable[[int, int], Any]]


@dataclasses.dataclass(frozen=True)
class DatasetStatus:
    """Rows and bytes of one dataset at HEAD; `tail_rows` of them still lie in the log. Of
    `past_segments`, which are counted among `segments`, HEAD shows nothing, and opens none.
    """

    rows: int
    segments: int
    segment_bytes: int
    tail_rows: int
    past_segments: int = 0


@dataclasses.dataclass(frozen=True)
class Status:
    """Rows, bytes and findings of a database. `unnamed_files` are segment files that no commit
    names: of open recorders, or left by killed ones, until a sweep.

    >>> oto.open(":memory:").status().head
    0
    """

    path: str
    database_id: str
    format: int
    head: int
    read_only: bool
    datasets: Dict[str, DatasetStatus]
    log_files: int
    log_bytes: int
    segment_bytes: int
    tail_commits: int
    unnamed_files: int
    unnamed_bytes: int
    torn_tails: List[str]
    lost: List[str]
    damage: List[str]
    foreign: List[str]

    def __repr__(self) -> str:
        mode = ", read-only" if self.read_only else ""
        lines = [
            f"{printable(self.path)}: format {self.format}, HEAD {self.head}{mode}",
            f"log {size(self.log_bytes)} in {counted(self.log_files, 'file')}, "
            f"{counted(self.tail_commits, 'commit')} in the tail; "
            f"segments {size(self.segment_bytes)}",
        ]
        for name, dataset in self.datasets.items():
            lines.append(
                f"  {name}: {counted(dataset.rows, 'row')}, "
                f"{counted(dataset.segments, 'segment')}{_past(dataset)} "
                f"of {size(dataset.segment_bytes)}, "
                f"{counted(dataset.tail_rows, 'row')} in the tail"
            )
        if self.unnamed_files:
            lines.append(
                f"  {counted(self.unnamed_files, 'segment file')} of {size(self.unnamed_bytes)} "
                "that no commit names"
            )
        for what, found in (
            ("torn", self.torn_tails),
            ("lost", self.lost),
            ("damage", self.damage),
            ("foreign", self.foreign),
        ):
            lines += [f"  {what}: {entry}" for entry in found]
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Problem:
    """One finding of `verify`: what, and a dict of file, offset and commits."""

    what: str
    where: Dict[str, Any]

    def __str__(self) -> str:
        found = place(self.where)
        return f"{self.what} (at {found})" if found else self.what


@dataclasses.dataclass(frozen=True)
class VerifyReport:
    """What `verify` found: `ok` where there is no problem; segments and bytes that were
    verified, and commits whose rows were hashed again, with `commits_unknown` of them that cannot
    be told: large ones, sorted in parts, that were joined with others since.
    """

    problems: List[Problem]
    segments: int
    bytes: int
    commits: int = 0
    commits_unknown: int = 0

    @property
    def ok(self) -> bool:
        """True if nothing is damaged."""
        return not self.problems

    def __repr__(self) -> str:
        verified = f"{counted(self.segments, 'segment')}, {size(self.bytes)} verified"
        if self.ok:
            return f"ok: {verified}"
        found = f"{counted(len(self.problems), 'problem')}; {verified}"
        return "\n".join([found, *map(str, self.problems)])


@dataclasses.dataclass(frozen=True)
class CompactReport:
    """What `compact` did: rows moved from the log into segments, segments joined (each time one
    was, the rows in them, bytes of their files), those that took their place, of rows that HEAD
    showed (present) and of all others (past), segment files removed that nobody needed, log files
    rewritten without rows that stand in segments (bytes: by which they are smaller).
    """

    sealed_rows: int
    joined_segments: int
    joined_rows: int
    joined_bytes: int
    present_segments: int
    present_rows: int
    past_segments: int
    past_rows: int
    swept_files: int
    swept_bytes: int
    stripped_files: int
    stripped_bytes: int

    def __repr__(self) -> str:
        return (
            f"{counted(self.sealed_rows, 'row')} sealed; "
            f"{counted(self.joined_segments, 'segment')} of {size(self.joined_bytes)} joined"
            f"{self._sides()}; "
            f"{counted(self.swept_files, 'unneeded file')} of {size(self.swept_bytes)} removed; "
            f"{counted(self.stripped_files, 'log file')} shortened by {size(self.stripped_bytes)}"
        )

    def _sides(self) -> str:
        if self.joined_segments == 0:
            return ""
        return (
            f" into {self.present_segments} of {counted(self.present_rows, 'present row')}"
            f" and {self.past_segments} of {counted(self.past_rows, 'past row')}"
        )


def status_of(core: _core.Status) -> Status:
    """The Python view of a core status."""
    plain = {field.name: getattr(core, field.name) for field in dataclasses.fields(Status)}
    plain["path"] = os.fsdecode(core.path)
    plain["datasets"] = {
        name: DatasetStatus(*(getattr(dataset, f.name) for f in dataclasses.fields(DatasetStatus)))
        for name, dataset in core.datasets.items()
    }
    return Status(**plain)


def report_of(core: _core.VerifyReport) -> VerifyReport:
    """The Python view of a core report."""
    problems = [
        Problem(p.what, {"file": p.file or None, "offset": p.offset, "commits": p.commits})
        for p in core.problems
    ]
    return VerifyReport(problems, core.segments, core.bytes, core.commits, core.commits_unknown)


def progress_of(progress: Progress, of: str = "byte") -> Optional[Callable[[int, int], Any]]:
    """The callable of `progress=`: True is a bar on standard error, of bytes or of rows."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return functools.partial(_bar, of)
    if not callable(progress):
        raise InvalidArgument(
            f"progress={shown(progress)}: give True, or a callable of (done, total)"
        )
    return progress


def _bar(of: str, done: int, total: int) -> None:
    share = done / total if total else 1.0
    end = "\n" if done >= total else ""
    whole = size(total) if of == "byte" else counted(total, of)
    print(f"\r[{'#' * int(share * 40):<40}] {share:4.0%} of {whole}", end=end, file=sys.stderr)


def _past(dataset: DatasetStatus) -> str:
    return f" ({dataset.past_segments:,} past)" if dataset.past_segments else ""


def counted(count: int, what: str) -> str:
    """A number and what it counts: 1 row, 2,000 rows."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def size(count: float) -> str:
    """Bytes for people: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
