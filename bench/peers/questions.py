"""Sides in C++ of the Python workloads: they ask the database that the workload has written.

`questions` (bench/questions/questions.cc) runs once in each turn of the sides, and measures itself:
what opening costs, and the first call after it, is told apart.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from typing import Any, List, Sequence

import numpy as np

from turns import Side

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("OTOLITH_BENCH_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "bench" / "questions" / "questions"
NAME = "otolith, C++"
DTYPES = {"time": np.dtype("M8[ns]")}


class Question:
    """`totals` of columns, or `rows` of a key into arrays; `span` in ns, all times without it."""

    def __init__(
        self,
        what: str,
        store: Any,
        rest: Sequence[str],
        repeats: int,
        span: Sequence[int] = (0, 0),
    ) -> None:
        database = str(store.path / "db.oto")
        numbers = [str(number) for number in (repeats, *span)]
        self.command = [str(PROGRAM), what, database, "rows", *numbers, *rest]
        self.what = what
        self.first: List[float] = []

    def side(self) -> Side:
        """Takes part in turns; `first` has the first call after each opening."""
        return Side(NAME, self.ask, itself=True)

    def ask(self) -> tuple[List[float], Any]:
        told = json.loads(subprocess.check_output(self.command, text=True))
        self.first.append(told["first"])
        return told["samples"], arrays(told["answer"]) if self.what == "rows" else told["answer"]


def arrays(answer: dict) -> dict:
    """Columns as the other sides give them."""
    return {name: column(name, values) for name, values in answer.items()}


def column(name: str, values: list) -> np.ndarray:
    array = np.array(values)
    return array.view(DTYPES[name]) if name in DTYPES else array
