"""What an error of a commit says has become of it, and of the recorder it came from."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import otolith as oto
from conftest import rows

WRITER = """
    import sys
    import otolith as oto
    with oto.open(sys.argv[1]) as db:
        t = db["t"]
        for n in range(10**9):
            t.append({"time": n})
            if n == 0:
                print("begun", flush=True)
"""


def test_a_conflict_failed(db, quotes):
    quotes.append(rows(1), change_id="ab" * 16)
    with pytest.raises(oto.Conflict) as caught:
        quotes.append(rows(2), change_id="ab" * 16)
    assert caught.value.outcome == "failed"
    with pytest.raises(oto.Conflict) as caught:
        db.create_table("quotes", {"time": "timestamp"})
    assert caught.value.outcome == "failed" and len(quotes) == 1


def test_a_failed_commit_ends_the_recorder_and_it_says_so(db, quotes):
    r = db.recorder()
    r["quotes"].append(rows(2))
    quotes.alter(drop=["ask"])
    for _ in range(2):
        with pytest.raises(oto.Conflict, match="changed since") as caught:
            r.commit()
        assert caught.value.outcome == "failed"
    assert repr(r) == "Recorder (failed)" and r.result is None
    with pytest.raises(oto.InvalidArgument, match="ended by an error.*changed since"):
        r["quotes"].append(rows(1))
    assert len(quotes) == 0


def test_who_waits_for_a_stopped_process_gives_up_in_time_and_names_it(path):
    oto.open(path).create_table("t", {"time": "timestamp"})
    error = None
    for _ in range(100):  # until it is stopped in the middle of a commit
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), path], stdout=subprocess.PIPE
        )
        try:
            assert writer.stdout.readline() == b"begun\n"
            os.kill(writer.pid, signal.SIGSTOP)
            with oto.open(path, lock_wait="200ms") as db:
                before, begin = len(db["t"]), time.monotonic()
                try:
                    db["t"].append({"time": -1})
                except oto.Locked as caught:
                    error, waited = caught, time.monotonic() - begin
                    assert len(db["t"]) == before  # readers wait for nobody
        finally:
            writer.kill()
            writer.wait()
            writer.stdout.close()
        if error is not None:
            break
    assert error.outcome == "failed" and str(writer.pid) in str(error)
    assert 0.2 <= waited < 5
