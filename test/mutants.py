"""Shows that the tests catch deliberate errors.

  test/mutants.py BUILD [NAME...]

Each line `name: test executable: test case filter` of test/mutants.txt names an error compiled into
test builds (OTOLITH_MUTANTS) and switched on by OTOLITH_MUTANT=name. The named tests must pass
without it and fail with it. The line `canary` is a test that fails on demand: it shows that this
script sees failures. Exits 1 if a mutant survives.
"""

import concurrent.futures
import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run

MUTANTS = pathlib.Path(__file__).with_name("mutants.txt")
TIMEOUT_S = 600
BUDGET_S = "20"


def parse(text):
    """(name, executable, filter) of each line."""
    mutants = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, executable, cases = (part.strip() for part in line.split(":", 2))
            mutants.append((name, executable, cases.replace(",", "?")))  # doctest splits at commas
    return mutants


def outcome_of(executable, command, cases, mutant):
    environment = {**os.environ, "OTOLITH_BUDGET_S": os.environ.get("OTOLITH_BUDGET_S", BUDGET_S)}
    environment.pop("OTOLITH_MUTANT", None)
    if mutant:
        environment["OTOLITH_MUTANT"] = mutant
    return run.run(executable, [*command, f"-tc={cases}"], environment, TIMEOUT_S)


def healthy(executable, command, cases):
    """'' if the tests pass without a mutant, else what is wrong."""
    plain = outcome_of(executable, command, cases, None)
    if plain.passed and not plain.failed:
        return ""
    return f"without the mutant {plain.passed} passed, {plain.failed} failed: {cases}"


def killed(name, executable, command, cases):
    """'' if the tests notice the mutant, else what is wrong."""
    return "" if outcome_of(executable, command, cases, name).failed else "survived"


def verdicts(mutants, tests, jobs):
    """(name, '' or what is wrong) of each mutant. Tests must pass without it and fail with it."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        plain = {
            (executable, cases): pool.submit(healthy, executable, tests[executable], cases)
            for _, executable, cases in mutants
            if executable in tests
        }
        mutated = {
            (name, executable, cases): pool.submit(
                killed, name, executable, tests[executable], cases
            )
            for name, executable, cases in mutants
            if executable in tests
        }
        for name, executable, cases in mutants:
            if executable not in tests:
                yield name, f"no test executable {executable}"
            else:
                yield (
                    name,
                    (
                        plain[executable, cases].result()
                        or mutated[name, executable, cases].result()
                    ),
                )


def main():
    signal.signal(signal.SIGTERM, run.end_with_children)
    build, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    mutants = [m for m in parse(MUTANTS.read_text(encoding="utf-8")) if not names or m[0] in names]
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    if not re.search(r"^OTOLITH_MUTANTS:\w+=ON$", cache, re.MULTILINE):
        sys.exit(f"{build} is built without mutants; use dev or asan")
    jobs = int(os.environ.get("OTOLITH_JOBS", os.cpu_count() or 1))
    survivors = 0
    for name, wrong in verdicts(mutants, run.executables(build), jobs):
        survivors += bool(wrong)
        print(f"  {name}: {wrong or 'killed'}", flush=True)
    return run.tally(len(mutants) - survivors, survivors)


if __name__ == "__main__":
    sys.exit(main())
