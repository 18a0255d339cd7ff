"""Runs every benchmark program and writes docs/BENCHMARKS.md from what they print.

    python bench/run.py BUILD_FOLDER [PROGRAM...] [--no-write]

Each program prints one JSON line a figure (bench/measure.h). The goals stand in GOALS below, one
line a goal; a goal that is missed says so in the table, with by how much.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "BENCHMARKS.md"
TIMEOUT_S = 1800


@dataclass(frozen=True)
class Goal:
    """`side` is at most `factor` times `limit`: a side of the same row, or a number in its unit.

    `why` is shown where the goal is missed: what a profile said.
    """

    row: str
    side: str
    limit: str | float
    factor: float = 1.0
    at_least: bool = False
    why: str = ""
    of: str = "median"  # or "p99"

    def name(self) -> str:
        name = self.side if self.of == "median" else f"{self.side}: {self.of}"
        return f"{name}, beside {self.limit}" if isinstance(self.limit, str) else name


GOALS = [
    Goal("1", "otolith, codec raw, digest included", "plain columns, written and fsynced", 1.3),
    Goal(
        "bulk",
        "plain writes with early write-back, then fdatasync",
        "plain writes, then fdatasync",
    ),
    Goal("crash", "crash states built a second", 35_000, at_least=True),
    Goal(
        "3",
        "otolith, one committer",
        "probe: 1 KiB append and fdatasync",
        1.3,
        why="about 35 µs a commit are not the disk: encoding, leaf keys, nine calls of the system "
        "for lock, page and frame; the faster the disk, the more they weigh",
    ),
    Goal(
        "3",
        "otolith from Python, one committer",
        "probe from Python: 1 KiB append and fdatasync",
        1.5,
        why="some 35 µs are the core's, and the interpreter takes as much to look at five arrays",
    ),
    Goal(
        "3",
        "otolith from Python, one committer",
        "SQLite (WAL, synchronous=FULL) from Python",
        of="p99",
    ),
    Goal(
        "3",
        "8 committers: commits per fsync",
        6.4,
        at_least=True,
        why="the committer gathers for at most a fifth of the last append, and on two cores eight "
        "threads come later than that",
    ),
    Goal("14", "open a random commit of 10^6", 1e-3),
    Goal("14", "open a random commit of 10^6, a rollback every ten", 1e-3),
    Goal("open", "10^6 commits, after a checkpoint", 0.05),
    Goal(
        "open",
        "10^6 commits, no checkpoint and no index",
        1.0,
        why="every record is read, checked and hashed by one thread; hashing is about a third",
    ),
]

TITLES = {
    "1": "Bulk ingest of W1 (10 M rows, 5 columns, 400 MB)",
    "bulk": "Writing 400 MB durably",
    "crash": "Crash states",
    "3": "Durable commits of 10 rows x 5 columns",
    "14": "Opening old commits",
    "open": "Opening a database",
    "lineage": "Lineage by itself",
    "history": "A history of 10^6 commits",
    "log": "The log by itself",
}


def programs(build: pathlib.Path, wanted: list[str]) -> list[pathlib.Path]:
    built = [p for p in build.glob("bench/**/*_bench") if os.access(p, os.X_OK) and p.is_file()]
    found = sorted(built + list(ROOT.glob("bench/**/*_bench.py")), key=lambda p: p.name)
    return [p for p in found if not wanted or p.stem in wanted]


def run(program: pathlib.Path, folder: str) -> tuple[list[dict], str]:
    """The figures a program printed, and what went wrong: '' if nothing did."""
    print(f"== {program.name}", flush=True)
    interpreter = [sys.executable] if program.suffix == ".py" else []
    command = [*interpreter, str(program), "all", folder]
    wrong = ""
    try:
        result = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S
        )
        printed = result.stdout
        if result.returncode != 0:
            wrong = f"{program.name} failed with status {result.returncode}"
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode()
        wrong = f"{program.name} did not end within {TIMEOUT_S} s"
    figures = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    for figure in figures:
        print(f"   {figure['row']:>8}  {figure['side']:<52} {shown(figure)}", flush=True)
    if wrong:
        print(f"   {wrong}", flush=True)
    return figures, wrong


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def shown(figure: dict) -> str:
    if figure["unit"] == "s":
        return seconds(figure["median"])
    return f"{figure['median']:,.4g} {figure['unit']}"


def spread(figure: dict) -> str:
    if figure["unit"] != "s" or figure["samples"] < 2:
        return ""
    text = f"{seconds(figure['min'])} … {seconds(figure['max'])}, n={figure['samples']}"
    return text + (f", p99 {seconds(figure['p99'])}" if figure["samples"] >= 100 else "")


def verdict(goal: Goal, by_side: dict[str, dict]) -> str:
    figure = by_side.get(goal.side)
    if figure is None:
        return "not measured in this run"
    if isinstance(goal.limit, str):
        if goal.limit not in by_side:
            return "its limit was not measured in this run"
        ratio = figure[goal.of] / by_side[goal.limit][goal.of]
        met = ratio <= goal.factor
        return outcome(goal, met, f"{ratio:.2f}x of {goal.factor:g}x allowed")
    met = figure["median"] >= goal.limit if goal.at_least else figure["median"] <= goal.limit
    word = "at least" if goal.at_least else "at most"
    limit = seconds(goal.limit) if figure["unit"] == "s" else f"{goal.limit:g} {figure['unit']}"
    return outcome(goal, met, f"{shown(figure)}, {word} {limit}")


def outcome(goal: Goal, met: bool, by: str) -> str:
    if met:
        return f"met: {by}"
    return f"**missed**: {by}" + (f"; {goal.why}" if goal.why else "")


def table(row: str, figures: list[dict]) -> list[str]:
    by_side = {f["side"]: f for f in figures}
    lines = [f"## {TITLES.get(row, row)}", ""]
    if figures:
        lines += ["| side | median | spread | note |", "|---|---|---|---|"]
    for figure in figures:
        lines.append(
            f"| {figure['side']} | {shown(figure)} | {spread(figure)} | {figure['note']} |"
        )
    goals = [goal for goal in GOALS if goal.row == row]
    if goals:
        lines += ["", "| goal | outcome |", "|---|---|"]
        lines += [f"| {goal.name()} | {verdict(goal, by_side)} |" for goal in goals]
    return [*lines, ""]


def machine() -> str:
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in open("/proc/cpuinfo", encoding="utf-8")
            if "model name" in line
        ),
        platform.processor(),
    )
    kernel = platform.release().partition("-")[0]  # what follows names one build
    return f"{os.cpu_count()} cores ({cpu}), Linux {kernel}"


def page(figures: list[dict], failures: list[str]) -> str:
    rows = dict.fromkeys([goal.row for goal in GOALS] + [figure["row"] for figure in figures])
    lines = [
        "# Benchmarks",
        "",
        f"One run of `./dev bench` on {datetime.date.today().isoformat()}: {machine()}. "
        "Sides of a row take turns in one process; medians with their spread. The goals are those "
        "of the design; a missed one says so. Most peers, installed from their packages, are still "
        "to join; until then a row stands beside the machine's own limit.",
        "",
    ]
    if failures:
        lines += [f"**Incomplete:** {'; '.join(failures)}.", ""]
    for row in rows:
        lines += table(row, [figure for figure in figures if figure["row"] == row])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    found = programs(options.build, options.programs)
    if not found:
        sys.exit("no benchmark program was built")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.build) as folder:
        outcomes = [run(program, folder) for program in found]
    figures = [figure for found_here, _ in outcomes for figure in found_here]
    failures = [wrong for _, wrong in outcomes if wrong]
    if options.programs or options.no_write:
        print(page(figures, failures))
    else:
        PAGE.write_text(page(figures, failures), encoding="utf-8")
        print(f"== {PAGE.relative_to(ROOT)} written")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
