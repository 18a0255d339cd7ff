"""docs/BENCHMARKS.md out of the figures of one run.

A workload has one table, an operation a line and a side a column; every other row of figures has a
table of its own. Goals (bench/goals.py) stand below their table.
"""

from __future__ import annotations

import datetime
import os
import platform

from goals import BEST, GOALS, TITLES, Goal, is_peer


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def shown(figure: dict) -> str:
    if figure["unit"] == "s":
        return seconds(figure["median"])
    if figure["unit"] == "bytes" and figure["median"] >= 1e6:
        return f"{figure['median'] / 1e6:,.1f} MB"
    return f"{figure['median']:,.4g} {figure['unit']}"


def spread(figure: dict) -> str:
    if figure["unit"] != "s" or figure["samples"] < 2:
        return ""
    text = f"{seconds(figure['min'])} … {seconds(figure['max'])}, n={figure['samples']}"
    return text + (f", p99 {seconds(figure['p99'])}" if figure["samples"] >= 100 else "")


def verdict(goal: Goal, by_side: dict[str, dict]) -> str:
    """Whether a goal is met: by one of its limits, each of which says by how much."""
    figure = by_side.get(goal.side)
    if figure is None or "absent" in figure:
        return f"not measured in this run{': ' + figure['absent'] if figure else ''}"
    judged = [judge(goal, figure, by_side, *limit) for limit in goal.limits()]
    said = " or ".join(words for _, words in judged)
    return outcome(goal, any(met for met, _ in judged), said)


def judge(goal: Goal, figure: dict, by_side: dict, limit, factor: float) -> tuple[bool, str]:
    if isinstance(limit, (int, float)):
        met = figure["median"] >= limit if goal.at_least else figure["median"] <= limit
        word = "at least" if goal.at_least else "at most"
        said = seconds(limit) if figure["unit"] == "s" else f"{limit:g} {figure['unit']}"
        return met, f"{shown(figure)}, {word} {said}"
    values = {name: by_side[name][goal.of] for name in asked(limit, goal.of, figure, by_side)}
    if not values:
        return False, "its limit was not measured in this run"
    best = (max if goal.at_least else min)(values, key=values.__getitem__)
    ratio = figure[goal.of] / values[best]
    met = ratio >= factor if goal.at_least else ratio <= factor
    word = "wanted" if goal.at_least else "allowed"
    among = "" if limit == best else f" ({best})"
    return met, f"{ratio:.2f}x of {factor:.3g}x {word}{among}".replace("0.00x", "<0.01x")


def asked(limit: str, goal_of: str, figure: dict, by_side: dict[str, dict]) -> list[str]:
    """The sides that a limit names, as far as they were measured."""
    named = [side for side in by_side if is_peer(side)] if limit == BEST else [limit]
    told = {side: by_side.get(side, {}) for side in named}
    return [s for s, of in told.items() if of.get("unit") == figure["unit"] and goal_of in of]


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
        told = figure.get("absent") or f"{shown(figure)} | {spread(figure)} | {figure['note']}"
        lines.append(f"| {figure['side']} | {told} |")
    goals = [goal for goal in GOALS if goal.row == row]
    if goals:
        lines += ["", "| goal | outcome |", "|---|---|"]
        lines += [f"| {goal.name()} | {verdict(goal, by_side)} |" for goal in goals]
    return [*lines, ""]


def workload_table(workload: str, figures: list[dict]) -> list[str]:
    """One table of a workload: an operation a line, a side a column, with the spread."""
    about = [figure for figure in figures if "versions" in figure]
    told = [figure for figure in figures if "side" in figure]
    sides = dict.fromkeys(figure["side"] for figure in told)
    by_operation: dict[str, dict[str, dict]] = {}
    for figure in told:
        by_operation.setdefault(figure["operation"], {})[figure["side"]] = figure
    lines = [f"## {workload}: {TITLES[workload]}", ""]
    lines += [f"{figure['size']}; {figure['versions']}." for figure in about] + [""]
    lines += [f"| operation | {' | '.join(sides)} |", "|---" * (len(sides) + 1) + "|"]
    for operation, cells in sorted(by_operation.items(), key=lambda item: number(item[0])):
        shown_cells = [cell(cells[side]) if side in cells else "" for side in sides]
        lines.append(f"| {operation} | {' | '.join(shown_cells)} |")
    goals = [goal for goal in GOALS if goal.row.startswith(f"{workload}/")]
    if goals:
        lines += ["", "| goal | outcome |", "|---|---|"]
    for goal in goals:
        of_row = [figure for figure in told if figure["row"] == goal.row]
        operation = of_row[0]["operation"] if of_row else goal.row
        outcome_here = verdict(goal, {figure["side"]: figure for figure in of_row})
        lines.append(f"| {operation}: {goal.name()} | {outcome_here} |")
    return [*lines, ""]


def number(operation: str) -> tuple[int, str]:
    """Operations in the order of their numbers; the machine's own, which have none, at the end."""
    digits = operation.split(" ")[0].rstrip("abcdef")
    return (int(digits), "") if digits.isdigit() and int(digits) < 100 else (100, operation)


def cell(figure: dict) -> str:
    """Median, spread and note."""
    if "absent" in figure:
        return figure["absent"]
    parts = [shown(figure)]
    if figure["samples"] > 1:
        parts.append(f"{seconds(figure['min'])} … {seconds(figure['max'])}")
    return "<br>".join(parts + [figure["note"]] * bool(figure["note"]))


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


def sections(text: str) -> dict[str, str]:
    """Parts of a page by their headings; what comes before the first has none."""
    first, *others = text.split("\n## ")
    return {"": first, **{other.partition("\n")[0]: other for other in others}}


def merged(old: str, new: str) -> str:
    """A page whose tables were measured at different times: those of `new`, which say when, and
    of `old` what `new` does not have.
    """
    when = f"Measured again on {datetime.date.today().isoformat()}: {machine()}."
    out = sections(old)
    for heading, text in sections(new).items():
        if heading:
            lines = text.split("\n")
            out[heading] = "\n".join([lines[0], "", when, *lines[1:]])
    return "\n## ".join(part.rstrip("\n") + "\n" for part in out.values())


def page(figures: list[dict], failures: list[str], part: bool = False) -> str:
    """The whole page; `part`: tables of what was measured, without a word on the rest."""
    alone = [figure for figure in figures if "workload" not in figure]
    rows = dict.fromkeys(
        ([] if part else [goal.row for goal in GOALS if "/" not in goal.row])
        + [figure["row"] for figure in alone]
    )
    workloads = dict.fromkeys(f["workload"] for f in figures if "workload" in f)
    lines = [
        "# Benchmarks",
        "",
        f"One run of `./dev bench` on {datetime.date.today().isoformat()}: {machine()}. "
        "Sides of a row take turns in one process; medians with their spread; peers are installed "
        "from their packages with the settings they come with, and their answers are checked to be "
        "equal. The goals are those of the design, judged beside the best peer of the row in this "
        "run, which the outcome names; a missed one says so, with what is known of the reason.",
        "",
    ]
    if failures:
        lines += [f"**Incomplete:** {'; '.join(failures)}.", ""]
    for workload in sorted(workloads, key=list(TITLES).index):
        lines += workload_table(workload, [f for f in figures if f.get("workload") == workload])
    for row in rows:
        lines += table(row, [figure for figure in alone if figure["row"] == row])
    return "\n".join(lines)
