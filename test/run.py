"""Runs the doctest executables of a build and counts their test cases.

  test/run.py BUILD             every test case; random loops take their small default
  test/run.py BUILD --long S    only the suite "long", which together gets S seconds

Crash states and programs of the stateful model need the most seconds to reach their figures:
WEIGHTS says how many shares a case takes.
Prints one line per executable, the whole output of those that fail, in --long also the figures the
tests print, and last the sums. Exits 1 on any failure. Counts are added to the file
named by OTOLITH_TALLY, if set.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

TIMEOUT_S = 900
DEFAULT_BUDGET_S = 2.0
WEIGHTS = {"crash_test": 6, "stateful_test": 4}
SUMMARY = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")
BOILERPLATE = re.compile(r"\[doctest\]|=====|\s*$|.*_test\.cc:\d+:$|TEST (SUITE|CASE):")


RUNNING = set()  # process groups of tests


def end_with_children(*_):
    """Told to stop: tests stand in groups of their own and would go on."""
    for group in list(RUNNING):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    os._exit(143)


@dataclasses.dataclass
class Outcome:
    name: str
    passed: int
    failed: int
    seconds: float
    output: str


def executables(build):
    """Names and commands of the tests that ctest knows in `build`."""
    shown = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=build, check=True, capture_output=True, text=True
    )
    tests = json.loads(shown.stdout)["tests"]
    if missing := [test["name"] for test in tests if "command" not in test]:
        sys.exit(f"not built: {', '.join(missing)}; run ninja -C {build}")
    return {test["name"]: test["command"] for test in tests}


def count(output, status):
    """Test cases passed and failed; an executable that dies without a summary has one failure."""
    found = SUMMARY.search(output)
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 0)
    return passed, max(failed, 1 if status != 0 or not found else 0)


def run(name, command, environment, timeout_s):
    """Runs one executable in a process group of its own: a timeout ends its children too."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    RUNNING.add(process.pid)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0] + f"\nstopped after {timeout_s:.0f} s"
    finally:
        RUNNING.discard(process.pid)
    passed, failed = count(output, process.returncode)
    return Outcome(name, passed, failed, time.monotonic() - began, output)


def long_cases(command):
    """Number of test cases of the suite "long" in one executable."""
    listed = subprocess.run(
        [*command, "-ts=long", "-c"], check=False, capture_output=True, text=True
    )
    found = re.search(r"passing the current filters: (\d+)", listed.stdout)
    return int(found[1]) if found else 0


def plan_long(tests, total_s, jobs):
    """Of each executable with long tests: its command, and the seconds for each of its cases."""
    cases = {name: long_cases(command) for name, command in tests.items()}
    shares = sum(n * WEIGHTS.get(name, 1) for name, n in cases.items())
    share_s = total_s * min(jobs, len(tests)) / max(shares, 1)
    return {
        name: ([*tests[name], "-ts=long"], share_s * WEIGHTS.get(name, 1), n)
        for name, n in cases.items()
        if n
    }


def report(outcome, figures):
    counts = f"{outcome.passed} passed, {outcome.failed} failed"
    print(f"  {outcome.name}: {counts}, {outcome.seconds:.1f} s")
    if outcome.failed:
        print(outcome.output)
    elif figures:
        for line in outcome.output.splitlines():
            if not BOILERPLATE.match(line):
                print(f"    {line}")
    sys.stdout.flush()


def tally(passed, failed):
    """Adds to the counts of the surrounding ./dev call; the exit status. Nothing ran: a failure."""
    if passed + failed == 0:
        print("  nothing ran")
        failed = 1
    if "OTOLITH_TALLY" in os.environ:
        with open(os.environ["OTOLITH_TALLY"], "a", encoding="utf-8") as file:
            file.write(f"{passed} {failed}\n")
    print(f"  together {passed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    signal.signal(signal.SIGTERM, end_with_children)
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--long", type=float, metavar="S")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()

    tests = executables(chosen.build)
    if chosen.long is None:
        budget_s = float(os.environ.get("OTOLITH_BUDGET_S", DEFAULT_BUDGET_S))
        plan = {name: (command, budget_s, 0) for name, command in tests.items()}
    else:
        plan = plan_long(tests, chosen.long, chosen.jobs)
        shares = ", ".join(f"{name} {share_s:.0f} s" for name, (_, share_s, _) in plan.items())
        print(f"for each long test case: {shares}")

    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        running = []
        for name, (command, budget_s, cases) in plan.items():
            environment = {**os.environ, "OTOLITH_BUDGET_S": f"{budget_s:.3f}"}
            timeout_s = TIMEOUT_S + 2 * budget_s * cases
            running.append(pool.submit(run, name, command, environment, timeout_s))
        outcomes = []
        for done in concurrent.futures.as_completed(running):
            outcomes.append(done.result())
            report(outcomes[-1], figures=chosen.long is not None)
    return tally(sum(o.passed for o in outcomes), sum(o.failed for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
