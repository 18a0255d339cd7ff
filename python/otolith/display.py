"""How rows print: a header of names and types, the first and the last rows, as text or HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, List, Optional, Sequence

import numpy as np

from otolith import _core

if TYPE_CHECKING:
    from otolith.data import Data

ROWS_SHOWN = 10  # the first and the last half of them
COLUMNS_SHOWN = 16
TEXT_SHOWN = 40  # characters of one value


def preview_text(data: Data) -> str:
    """A table of monospaced text: numbers to the right, everything else to the left."""
    names = _columns_shown(data.columns)
    columns = [_column(data, name) for name in names]
    lines = []
    for cells in zip(*columns):
        lines.append("  ".join(cells).rstrip())
    return "\n".join([_title(data), *lines])


def preview_html(data: Data) -> str:
    """The same as an HTML table, for notebooks."""
    names = _columns_shown(data.columns)
    heads, rows = [], []
    for name in names:
        dtype = "" if name is None else data.schema[name].dtype.name
        heads.append(f"<th>{_escaped(name)}<br><small>{dtype}</small></th>")
    for row in zip(*(_values(data, name) for name in names)):
        rows.append("<tr>" + "".join(f"<td>{html.escape(value)}</td>" for value in row) + "</tr>")
    return (
        f"<div><small>{_title(data)}</small><table><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


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


def _column(data: Data, name: Optional[str]) -> List[str]:
    """Cells of one column, header included, of one width."""
    values = _values(data, name)
    dtype = "…" if name is None else data.schema[name].dtype.name
    head = [shown("…" if name is None else name), dtype]
    width = max(map(len, head + values))
    numeric = dtype.startswith(("int", "uint", "float"))
    return [f"{cell:<{width}}" for cell in head] + [
        f"{value:>{width}}" if numeric else f"{value:<{width}}" for value in values
    ]


def _values(data: Data, name: Optional[str]) -> List[str]:
    """The first and the last values, read from the outer pieces only: nothing is joined for it."""
    if len(data) <= ROWS_SHOWN:
        return [cell for piece in data.batches() for cell in _cells(piece, name, slice(None))]
    half = ROWS_SHOWN // 2
    pieces = data.batches()
    first: List[str] = []
    for piece in pieces:
        first += _cells(piece, name, slice(half - len(first)))
        if len(first) == half:
            break
    last: List[str] = []
    for piece in reversed(pieces):
        last = _cells(piece, name, slice(-(half - len(last)), None)) + last
        if len(last) == half:
            break
    return [*first, "…", *last]


def _cells(piece: Data, name: Optional[str], part: slice) -> List[str]:
    values = piece[piece.columns[0] if name is None else name][part]
    return ["…" if name is None else shown(values[i]) for i in range(len(values))]


def _escaped(name: Optional[str]) -> str:
    return html.escape(shown("…" if name is None else name))
