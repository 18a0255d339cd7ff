"""Sides of one operation take turns in one process; their answers must be equal.

    figures = Figures("W1")
    figures.turns("5", "read all into arrays", [Side("Otolith", read), Side("DuckDB", ask)])

Each figure is one JSON line on standard output, as bench/run.py reads it. Turns begin with another
side in each round, so that no side always runs behind the same neighbour. What a side answers is
brought to columns and summed up outside the time taken; a side that answers otherwise than the
first ends the program.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

import numpy as np

ROUNDS = 5


def nothing() -> None:
    """What is done where nothing need be."""


@dataclass
class Side:
    """`run` is timed; `before` and `after` surround each run untimed. What measures `itself`, in a
    program of its own or because a part of it is not to be timed, gives its samples and its answer.
    """

    name: str
    run: Callable[[], Any]
    before: Callable[[], Any] = nothing
    after: Callable[[], Any] = nothing
    note: str = ""
    probe: bool = False  # the machine's own limit: it answers nothing
    itself: bool = False


class Figures:
    """Prints the figures of one workload."""

    def __init__(self, workload: str) -> None:
        self.workload = workload

    def turns(
        self,
        row: str,
        operation: str,
        sides: List[Side],
        summary: Optional[Callable[[Any], Any]] = None,
        rounds: int = ROUNDS,
        repeat: int = 1,
        collect: bool = True,
    ) -> Dict[str, float]:
        """Times each side `rounds` times, `repeat` calls in a row each time (one sample a call; a
        side that measures itself is called once); gives the medians. `collect`: garbage, before
        each call, which takes longer than short calls do."""
        taken: Dict[str, List[float]] = {side.name: [] for side in sides}
        said: Dict[str, Any] = {}
        for turn in range(rounds):
            start = turn % len(sides)
            for side in sides[start:] + sides[:start]:
                for _ in range(1 if side.itself else repeat):
                    samples, answer = timed(side, collect)
                    taken[side.name] += samples
                    if summary and not side.probe and side.name not in said:
                        said[side.name] = summary(answer)
                    del answer
                    side.after()
        _all_equal(said, operation)
        for side in sides:
            self.say(row, operation, side.name, sorted(taken[side.name]), "s", side.note)
        return {name: statistics.median(samples) for name, samples in taken.items()}

    def value(
        self, row: str, operation: str, side: str, value: float, unit: str, note: str = ""
    ) -> None:
        """One number that is no time."""
        self.say(row, operation, side, [float(value)], unit, note)

    def absent(self, row: str, operation: str, side: str, why: str) -> None:
        """A side that could not take part; the table says why."""
        figure = {"workload": self.workload, "row": f"{self.workload}/{row}", "absent": why}
        print(json.dumps({**figure, "operation": operation, "side": side}), flush=True)

    def versions(self, packages: str, size: str) -> None:
        """What ran, and on how much data: the line above the table."""
        print(json.dumps({"workload": self.workload, "versions": packages, "size": size}))

    def say(
        self, row: str, operation: str, side: str, samples: List[float], unit: str, note: str
    ) -> None:
        """The figure of sorted samples."""
        figure = {
            "workload": self.workload,
            "row": f"{self.workload}/{row}",
            "operation": operation,
            "side": side,
            "unit": unit,
            "median": statistics.median(samples),
            "min": samples[0],
            "max": samples[-1],
            "p99": samples[len(samples) * 99 // 100],
            "samples": len(samples),
            "note": note,
        }
        print(json.dumps(figure, ensure_ascii=False), flush=True)


def timed(side: Side, collect: bool) -> tuple[List[float], Any]:
    """Seconds of a run, and its answer."""
    side.before()
    if collect:
        gc.collect()
    if side.itself:
        return side.run()
    begin = time.perf_counter()
    answer = side.run()
    return [time.perf_counter() - begin], answer


def _all_equal(said: Dict[str, Any], operation: str) -> None:
    first = next(iter(said), None)
    for name, answer in said.items():
        if not _same(answer, said[first]):
            raise SystemExit(f"{operation}: {name} answers {answer}, {first} {said[first]}")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return bool(np.isclose(one, other, rtol=1e-9, atol=0))
    return bool(one == other)


# ---- Answers -------------------------------------------------------------------------------------


def summary(answer: Any) -> Dict[str, Any]:
    """Rows, and of each column its sum and the values in the first, middle and last row."""
    return {name: _column_summary(values) for name, values in sorted(columns_of(answer).items())}


def sums(answer: Any) -> Dict[str, Any]:
    """The same without what depends on the order of rows."""
    return {
        name: {key: value for key, value in of.items() if key != "samples"}
        for name, of in summary(answer).items()
    }


def columns_of(answer: Any) -> Dict[str, Any]:
    """Columns by name of what sides answer: a dict of arrays, pandas, Arrow or Polars."""
    if isinstance(answer, dict):
        return answer
    if hasattr(answer, "reset_index"):  # pandas; ArcticDB makes the time column its index
        frame = answer.reset_index() if answer.index.name else answer
        return {name: frame[name].to_numpy() for name in frame.columns}
    if hasattr(answer, "get_columns"):  # Polars
        answer = answer.to_arrow()
    return {name: answer.column(name) for name in answer.column_names}  # Arrow


def _column_summary(values: Any) -> Dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, np.ndarray) and values.dtype.kind == "O":
        values = pa.chunked_array([pa.array(values)])
    if isinstance(values, pa.ChunkedArray) and not pa.types.is_floating(values.type):
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.large_string())
        if not (pa.types.is_integer(values.type) or pa.types.is_timestamp(values.type)):
            rows = len(values)
            return {
                "rows": rows,
                "sum": pc.sum(pc.binary_length(values)).as_py(),
                "distinct": pc.count_distinct(values).as_py(),
                "samples": str([values[row].as_py() for row in _sample_rows(rows)]),
            }
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.timestamp("ns", values.type.tz)).cast(pa.int64())
    array = values.to_numpy() if isinstance(values, pa.ChunkedArray) else np.asarray(values)
    if array.dtype.kind == "M":
        array = array.astype("M8[ns]").view(np.int64)
    rows = len(array)
    whole = int(array.sum(dtype=np.int64)) if array.dtype.kind in "iu" else float(array.sum())
    return {"rows": rows, "sum": whole, "samples": str(array[_sample_rows(rows)].tolist())}


def _sample_rows(rows: int) -> List[int]:
    return [0, rows // 2, rows - 1] if rows else []
