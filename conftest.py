"""pytest: adds the counts of a run to the surrounding ./dev call (OTOLITH_TALLY)."""

import os


def pytest_terminal_summary(terminalreporter):
    counts = {outcome: len(reports) for outcome, reports in terminalreporter.stats.items()}
    if "OTOLITH_TALLY" in os.environ:
        failed = counts.get("failed", 0) + counts.get("error", 0)
        with open(os.environ["OTOLITH_TALLY"], "a", encoding="utf-8") as file:
            file.write(f"{counts.get('passed', 0)} {failed}\n")
