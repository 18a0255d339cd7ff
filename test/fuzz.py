"""Replays each fuzz harness's corpus, then fuzzes.

  test/fuzz.py BUILD --seconds S [--jobs N]

Harnesses are the executables that the fuzz build lists: one for each src/<room>/fuzz_<unit>.cc.
Inputs come from test/corpus/<harness>/ (committed; a found bug's input belongs there) and grow in
BUILD/corpus/<harness>/. S seconds are shared by all. A crash leaves its input in BUILD/crashes/.
Exits 1 on any crash, leak or timeout.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run

CORPUS = pathlib.Path(__file__).with_name("corpus")
LIMITS = ["-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-timeout=20", "-print_final_stats=1"]
GRACE_S = 120


def harnesses(build):
    listed = (build / "harnesses.txt").read_text(encoding="utf-8")
    return [pathlib.Path(line) for line in listed.splitlines()]


def fuzz(harness, build, seconds):
    """Replays, then fuzzes for `seconds`; both must end well."""
    grown, crashes = build / "corpus" / harness.name, build / "crashes"
    for folder in (grown, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    folders = [str(folder) for folder in (grown, CORPUS / harness.name) if folder.is_dir()]
    command = [str(harness), *LIMITS, f"-artifact_prefix={crashes}/{harness.name}-"]
    replay = run.run(
        harness.name, [*command, "-runs=0", *folders], dict(os.environ), seconds + GRACE_S
    )
    if "DONE" not in replay.output:
        return replay, False
    command += [f"-max_total_time={max(int(seconds), 1)}", *folders]
    fuzzed = run.run(harness.name, command, dict(os.environ), seconds + GRACE_S)
    return fuzzed, bool(re.search(r"^Done \d+ runs", fuzzed.output, re.MULTILINE))


def main():
    signal.signal(signal.SIGTERM, run.end_with_children)
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--seconds", type=float, default=480)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()

    found = harnesses(chosen.build)
    share_s = chosen.seconds * min(chosen.jobs, len(found)) / max(len(found), 1)
    print(f"{len(found)} harnesses, {share_s:.0f} s each")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        for outcome, good in pool.map(lambda h: fuzz(h, chosen.build, share_s), found):
            failed += not good
            runs = re.search(r"number_of_executed_units: (\d+)", outcome.output)
            print(
                f"  {outcome.name}: {runs[1] if runs else '?'} inputs, {'good' if good else 'BAD'}",
                flush=True,
            )
            if not good:
                print(outcome.output[-4_000:])
    return run.tally(len(found) - failed, failed)


if __name__ == "__main__":
    sys.exit(main())
