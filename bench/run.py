"""Runs every benchmark program and writes docs/BENCHMARKS.md from what they print.

    python bench/run.py BUILD_FOLDER [PROGRAM...] [--no-write | --merge]

Each program prints one JSON line a figure (bench/measure.h, bench/peers/turns.py). A program may be
named without its `_bench`; with --merge its tables take their places in the page, and say when.
Python programs find those of C++ that they start (bench/questions) in OTOLITH_BENCH_BUILD, and
those of C++ find DuckDB in its package. The goals stand in bench/goals.py; a goal that is missed
says so in the table, with by how much.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile

from page import merged, page, shown

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "BENCHMARKS.md"
TIMEOUT_S = 1800


def programs(build: pathlib.Path, wanted: list[str]) -> list[pathlib.Path]:
    built = [p for p in build.glob("bench/**/*_bench") if os.access(p, os.X_OK) and p.is_file()]
    found = sorted(built + list(ROOT.glob("bench/**/*_bench.py")), key=lambda p: p.name)
    return [p for p in found if not wanted or {p.stem, p.stem.removesuffix("_bench")} & set(wanted)]


def duckdb() -> dict[str, str]:
    """Where programs of C++ find DuckDB: in its Python package, which needs Python's names."""
    found = importlib.util.find_spec("_duckdb")
    python = sysconfig.get_config_var("LDLIBRARY")
    if found is None or found.origin is None or not python:
        return {}
    return {"OTOLITH_DUCKDB": found.origin, "OTOLITH_LIBPYTHON": python}


def run(program: pathlib.Path, build: pathlib.Path, folder: str) -> tuple[list[dict], str]:
    """The figures a program printed, and what went wrong: '' if nothing did."""
    print(f"== {program.name}", flush=True)
    interpreter = [sys.executable] if program.suffix == ".py" else []
    command = [*interpreter, str(program), "all", folder]
    wrong = ""
    try:
        result = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S,
            env={**os.environ, "OTOLITH_BENCH_BUILD": str(build.resolve()), **duckdb()},
        )  # fmt: skip
        printed = result.stdout
        if result.returncode != 0:
            wrong = f"{program.name} failed with status {result.returncode}"
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode()
        wrong = f"{program.name} did not end within {TIMEOUT_S} s"
    figures = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    for figure in figures:
        if "median" in figure:
            of = figure.get("operation", figure["row"])
            print(f"   {of:>32}  {figure['side']:<52} {shown(figure)}", flush=True)
    if wrong:
        print(f"   {wrong}", flush=True)
    return figures, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--merge", action="store_true")
    options = parser.parse_args()
    found = programs(options.build, options.programs)
    if not found:
        sys.exit("no benchmark program was built")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.build) as folder:
        outcomes = [run(program, options.build, folder) for program in found]
    figures = [figure for found_here, _ in outcomes for figure in found_here]
    failures = [wrong for _, wrong in outcomes if wrong]
    if options.merge and not failures:
        new = page(figures, failures, part=True)
        PAGE.write_text(merged(PAGE.read_text(encoding="utf-8"), new), encoding="utf-8")
        print(f"== {PAGE.relative_to(ROOT)}: its tables were replaced")
    elif options.programs or options.no_write:
        print(page(figures, failures, part=bool(options.programs)))
    else:
        PAGE.write_text(page(figures, failures), encoding="utf-8")
        print(f"== {PAGE.relative_to(ROOT)} written")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
