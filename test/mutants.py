"""Shows that the tests catch deliberate errors.

  test/mutants.py BUILD [NAME...]

Each line `name: test executable: test case filter` of test/mutants.txt names an error compiled into
test builds (OTOLITH_MUTANTS) and switched on by OTOLITH_MUTANT=name. The named tests must pass
without it and fail with it. The line `canary` is a test that fails on demand: it shows that this
script sees failures. Exits 1 if a mutant survives.
"""

import os
import pathlib
import re
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


def verdict(mutant, tests, healthy):
    """'' if the mutant is killed, else what is wrong. `healthy` remembers tests seen to pass."""
    name, executable, cases = mutant
    if executable not in tests:
        return f"no test executable {executable}"
    if (executable, cases) not in healthy:
        plain = outcome_of(executable, tests[executable], cases, None)
        if plain.failed or not plain.passed:
            return f"without the mutant {plain.passed} passed, {plain.failed} failed: {cases}"
        healthy.add((executable, cases))
    mutated = outcome_of(executable, tests[executable], cases, name)
    return "" if mutated.failed else "survived"


def main():
    build, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    mutants = [m for m in parse(MUTANTS.read_text(encoding="utf-8")) if not names or m[0] in names]
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    if not re.search(r"^OTOLITH_MUTANTS:\w+=ON$", cache, re.MULTILINE):
        sys.exit(f"{build} is built without mutants; use dev or asan")
    tests, healthy, survivors = run.executables(build), set(), 0
    for mutant in mutants:
        wrong = verdict(mutant, tests, healthy)
        survivors += bool(wrong)
        print(f"  {mutant[0]}: {wrong or 'killed'}", flush=True)
    run.tally(len(mutants) - survivors, survivors)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
