"""Who set which value of a document."""

from __future__ import annotations

from typing import Any, List

from otolith import _core
from otolith.commit import Commit
from otolith.display import html_table, outer
from otolith.document_values import unpack
from otolith.errors import shown


class PathBlame:
    """A value of a document, and the commit that set it to what it is: `path`, `value`, `commit`,
    `author`, `message`."""

    __slots__ = ("commit", "path", "value")

    def __init__(self, core: _core.PathBlame) -> None:
        self.path: str = core.path
        self.value: Any = unpack(core.value)
        self.commit = Commit(core.commit)

    @property
    def author(self) -> str:
        """Who made the commit."""
        return self.commit.author

    @property
    def message(self) -> str:
        """Why it was made."""
        return self.commit.message

    def __repr__(self) -> str:
        return f"{self.path}: {shown(self.value)}, {self.commit!r}"


class DocumentBlame(List[PathBlame]):
    """The values of a document by their paths, with the commit that set each; prints one a line."""

    def __repr__(self) -> str:
        return "\n".join(map(str, outer(self, f"… {len(self):,} values in all")))

    def _repr_html_(self) -> str:
        heads = ["path", "value", "commit", "time", "author", "message"]
        rows = [
            [
                of.path, shown(of.value), str(of.commit.number), str(of.commit.time), of.author,
                of.message,
            ]
            for of in self
        ]  # fmt: skip
        return html_table(f"{len(self):,} values", heads, rows)
