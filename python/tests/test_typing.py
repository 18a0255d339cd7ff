"""What a type checker sees of the package, and of programs that use it."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import otolith

pytest.importorskip("mypy")
ROOT = pathlib.Path(__file__).resolve().parents[2]

USER = """
import datetime as dt
from typing import Dict, List, Optional, Tuple

import numpy as np
import numpy.typing as npt
import polars as pl

import otolith as oto

db: oto.Database = oto.open("market.oto", author="ana", durability="relaxed", threads=2)
quotes: oto.Table = db.create_table(
    "quotes",
    {"time": oto.timestamp, "symbol": "string", "bid": np.float64, "size": oto.required(oto.int32)},
    keys=["symbol"],
    duplicates="last",
)
commit: oto.Commit = quotes.append({"time": dt.datetime.now(), "symbol": "A", "size": 1})
changes: Dict[str, Tuple[int, int]] = commit.changes
where: oto.Expression = (oto.col("bid") > 90) & ~oto.col("symbol").isin(["A", "B"])
data: oto.Data = quotes.read("2026-01-05", columns=["bid"], where=where, limit=3, progress=True)
bid: npt.NDArray[np.float64] = data["bid"]
last: oto.Data = quotes.asof(np.datetime64("2026-01-05"), {"symbol": ["A"]}, columns=["bid"])
rows: List[Dict[str, object]] = last.to_pylist()
frame: pl.DataFrame = data.to_polars()
lazy: pl.LazyFrame = oto.scan_polars(db.at(commit)["quotes"], order="stored")
count: int = oto.duckdb(db, at="HEAD~1").sql("select 1").fetchall()[0][0]
next_commit: Optional[oto.Commit] = db.wait(timeout="1s")
with db.recorder(message="m") as r:
    r["quotes"].append([{"time": 1, "symbol": "A", "size": 1}])
    seen: oto.Data = r["quotes"].asof(1)
span: Optional[Tuple[np.datetime64, np.datetime64]] = quotes.time_range
try:
    db.verify(progress=lambda done, total: None)
except oto.Corrupt as error:
    print(error.code, error.where)
"""

WRONG = """
import otolith as oto

db = oto.open("market.oto", durabilty="relaxed")
quotes = db["quotes"]
quotes.read(limit="3")
quotes.asof()
quotes.append({}, mesage="m")
db.at(1).recorder()
text: str = quotes.read()
oto.col(3)
"""


def checked(*what, cwd=ROOT):
    """mypy as pyproject.toml has it: what it says, and whether that was nothing."""
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *what]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd)
    return done.stdout + done.stderr, done.returncode == 0


def test_the_package_is_well_typed(tmp_path):
    installed = pathlib.Path(otolith.__file__).parent
    shutil.copytree(installed, tmp_path / "otolith", ignore=shutil.ignore_patterns("*.so", "__py*"))
    said, good = checked("otolith", cwd=tmp_path)
    assert good, said


def test_a_program_that_uses_it_is_checked_without_stubs_of_its_own(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    said, good = checked("user.py", cwd=tmp_path)
    assert good, said


def test_mistakes_of_a_program_are_found(tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)
    said, good = checked("wrong.py", cwd=tmp_path)
    lines = {int(line) for line in re.findall(r"wrong\.py:(\d+): error", said)}
    wrong = [n for n, line in enumerate(WRONG.splitlines(), 1) if line and n > 3 and n != 5]
    assert sorted(lines) == wrong, said
