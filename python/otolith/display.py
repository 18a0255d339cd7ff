"""How rows print: a header of names and types, the first and the last rows, as text or HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, List, Optional, Sequence

import numpy as np

from otolith import _core

if TYPE_CHECKING:
    from otolith.data import Data

ROWS_SHOWN = 10  # the first and the last half of them
COLUMNS_SHOWN = 16
LINES_SHOWN = 40  # of columns, datasets and commits, in lists of them
TEXT_SHOWN = 40  # characters of one value


def preview_text(data: Data) -> str:
    """A table of monospaced text: numbers to the right, everything else to the left."""
    ends = _Ends(data)
    columns = [_column(ends, name) for name in _columns_shown(data.columns)]
    lines = []
    for cells in zip(*columns):
        lines.append("  ".join(cells).rstrip())
    return "\n".join([_title(data), *lines])


def preview_html(data: Data) -> str:
    """The same as an HTML table, for notebooks."""
    ends = _Ends(data)
    names = _columns_shown(data.columns)
    heads, rows = [], []
    for name in names:
        dtype = "" if name is None else data.schema[name].dtype.name
        heads.append(f"<th>{_escaped(name)}<br><small>{dtype}</small></th>")
    for row in zip(*(ends.values(name) for name in names)):
        rows.append("<tr>" + "".join(f"<td>{escaped(value)}</td>" for value in row) + "</tr>")
    return (
        f"<div><small>{_title(data)}</small><table><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def html_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows of text under a title, for notebooks; of many the first and the last."""
    cells = [[escaped(text) for text in map(str, row)] for row in outer(rows, ["…"] * len(heads))]
    head = "".join(f"<th>{escaped(name)}</th>" for name in heads)
    body = "".join("<tr><td>" + "</td><td>".join(row) + "</td></tr>" for row in cells)
    return (
        f"<div><small>{escaped(title)}</small><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def outer(lines: Sequence[Any], between: Any) -> List[Any]:
    """All lines, or the first and the last of many with `between` for the others."""
    half = LINES_SHOWN // 2
    if len(lines) <= LINES_SHOWN:
        return list(lines)
    return [*lines[:half], between, *lines[len(lines) - half :]]


def shown(value: Any) -> str:
    """One value as the previews show it."""
    if value is None or value is np.ma.masked:
        return "null"
    if isinstance(value, np.datetime64):
        return _core.timestamp_format(int(value.astype("M8[ns]").astype(np.int64)))
    if isinstance(value, np.floating):
        # float() of a float32 would print digits that it does not have.
        return str(value.item()) if value.dtype == np.float64 else str(value)
    text = str(value)
    if isinstance(value, str):
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: TEXT_SHOWN + 1])
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"


def _title(data: Data) -> str:
    columns = len(data.columns)
    rows = len(data)
    return f"{rows:,} row{'s' * (rows != 1)} × {columns} column{'s' * (columns != 1)}"


def _columns_shown(names: Sequence[str]) -> List[Any]:
    """All names, or the outer ones with None for those left out."""
    if len(names) <= COLUMNS_SHOWN:
        return list(names)
    half = COLUMNS_SHOWN // 2
    return [*names[:half], None, *names[-half:]]


def _column(ends: _Ends, name: Optional[str]) -> List[str]:
    """Cells of one column, header included, of one width."""
    values = ends.values(name)
    dtype = "…" if name is None else ends.data.schema[name].dtype.name
    head = [shown("…" if name is None else name), dtype]
    width = max(map(len, head + values))
    numeric = dtype.startswith(("int", "uint", "float", "decimal"))
    return [f"{cell:<{width}}" for cell in head] + [
        f"{value:>{width}}" if numeric else f"{value:<{width}}" for value in values
    ]


class _Ends:
    """The first and the last rows, in the outer pieces only: nothing is joined or gone through."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self._whole = len(data) <= ROWS_SHOWN
        rows = ROWS_SHOWN if self._whole else ROWS_SHOWN // 2
        self._first = _outer(data.pieces(), rows)
        self._last = [] if self._whole else _outer(data.pieces(reverse=True), rows)[::-1]

    def values(self, name: Optional[str]) -> List[str]:
        """The cells of one column, "…" for the rows between."""
        first = [cell for piece in self._first for cell in _cells(piece, name)]
        if self._whole:
            return first
        half = ROWS_SHOWN // 2
        last = [cell for piece in self._last for cell in _cells(piece, name, from_end=True)]
        return [*first[:half], "…", *last[-half:]]


def _outer(pieces: Iterator[Data], rows: int) -> List[Data]:
    """As many pieces as hold so many rows, or all."""
    out: List[Data] = []
    for piece in pieces:
        out.append(piece)
        rows -= len(piece)
        if rows <= 0:
            break
    return out


def _cells(piece: Data, name: Optional[str], from_end: bool = False) -> List[str]:
    part = slice(-ROWS_SHOWN, None) if from_end else slice(ROWS_SHOWN)
    values = piece[piece.columns[0] if name is None else name][part]
    return ["…" if name is None else shown(values[i]) for i in range(len(values))]


def _escaped(name: Optional[str]) -> str:
    return escaped(shown("…" if name is None else name))


def escaped(text: str) -> str:
    """Text as HTML shows it; `html.escape` without an import that costs as much as ten of ours."""
    for plain, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, written)
    return text
