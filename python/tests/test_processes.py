"""Threads, forks and other processes: the GIL is let go, children read, nothing acknowledged is
lost.
"""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import otolith as oto
from conftest import QUOTES, rows

BIG = 2_000_000


def script(text):
    return [sys.executable, "-c", textwrap.dedent(text)]


class Ticker:
    """Counts in a thread of its own; only a call that lets go of the GIL sees it move."""

    def __enter__(self):
        self.ticks, self._stop = [], False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self):
        while not self._stop:
            self.ticks.append(time.perf_counter())
            time.sleep(0.0005)

    def __exit__(self, *_):
        self._stop = True
        self._thread.join()

    def moved_during(self, call):
        began = time.perf_counter()
        call()
        ended = time.perf_counter()
        inner = (ended - began) / 10
        return ended - began, sum(began + inner < tick < ended - inner for tick in self.ticks)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A table whose time order takes a merge of several segments."""
    with oto.open(tmp_path_factory.mktemp("big") / "big.oto") as db:
        table = db.create_table("big", {"time": "timestamp", "n": "int64", "s": "string"})
        n = np.arange(BIG)
        for part in range(4):
            mine = n[part::4]
            table.append({"time": mine * 10**6, "n": mine, "s": np.full(len(mine), "text", object)})
        yield db


@pytest.mark.parametrize("verb", ["read", "verify", "append", "column"])
def test_long_calls_let_other_threads_run(big, verb):
    table = big["big"]
    if verb == "append":
        from otolith.commit import commit_options
        from otolith.incoming import batch_of

        n = np.arange(BIG)
        other = big.create_table(
            "sink", {"time": "timestamp", "n": "int64", "s": "string"}, exist_ok=True
        )
        batch = batch_of({"time": n, "n": n, "s": np.full(BIG, "text", object)}, other.schema, None)
        options = commit_options(None, None, None, None)
        call = lambda: other._core.append(batch, options)  # noqa: E731
    elif verb == "column":
        data = table.read()._core
        call = lambda: data.column(1)  # noqa: E731
    else:
        call = {"read": lambda: table._core.read(_request()), "verify": big.verify}[verb]
    with Ticker() as ticker:
        seconds, ticks = ticker.moved_during(call)
    assert ticks > 0 or seconds < 0.005, f"{verb} took {seconds:.3f} s and nothing else ran"


def _request():
    from otolith import _core

    return _core.ReadRequest.make(None, None, None, [], None, None, True, _core.Order.time, None)


def test_threads_append_and_read_one_database(db, quotes):
    def work():
        for _ in range(20):
            quotes.append(rows(10))
            len(quotes.read())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(quotes) == 800 and db.head.number == 81
    assert [c.number for c in db.log()] == list(range(81, 0, -1))


def test_a_forked_child_reads_and_cannot_write(path):
    with oto.open(path) as db:
        quotes = db.create_table("quotes", QUOTES, keys=["symbol"])
        quotes.append(rows(3))
        recorder = db.recorder()
        recorder["quotes"].append(rows(2))
        kept = quotes.read()
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            told = []
            for call in (
                lambda: len(quotes.read()),
                lambda: len(db["quotes"]),
                lambda: kept["bid"].tolist(),
                lambda: quotes.append(rows(1)),
                lambda: recorder["quotes"].append(rows(1)),
                recorder.commit,
                db.recorder,
            ):
                try:
                    told.append(repr(call()))
                except oto.InvalidArgument:
                    told.append("refused")
                except BaseException as error:  # noqa: BLE001
                    told.append(f"{type(error).__name__}: {error}")
            del recorder
            os.write(write_end, "\n".join(told).encode())
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            told = pipe.read().splitlines()
        assert os.waitpid(child, 0)[1] == 0
        assert told == ["3", "3", "[0.0, 0.25, 0.5]", "refused", "refused", "refused", "refused"]
        assert recorder.commit().changes == {"quotes": (2, 0)}
        quotes.append(rows(1))
        assert len(quotes) == 6 and db.verify().ok


WRITER = """
    import sys
    import otolith as oto
    path, who, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with oto.open(path, author=who) as db:
        for n in range(count):
            c = db["t"].append({"time": n, "who": who, "n": n})
            print(c.number, flush=True)
"""


@pytest.fixture
def shared(path):
    with oto.open(path) as db:
        db.create_table("t", {"time": "timestamp", "who": "string", "n": "int64"}, keys=["who"])
        yield db


def test_processes_append_to_one_database(shared, path):
    writers = [
        subprocess.Popen(
            [*script(WRITER), str(path), f"w{i}", "25"], stdout=subprocess.PIPE, text=True
        )
        for i in range(3)
    ]
    numbers = []
    for writer in writers:
        out, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0
        numbers += map(int, out.split())
    assert sorted(numbers) == list(range(2, 77))
    d = shared["t"].read(order="stored")
    assert [(w, n) for w, n in zip(d["who"], d["n"].tolist())] == [
        (f"w{i}", n) for i in range(3) for n in range(25)
    ]
    assert {c.author for c in shared.log(dataset="t", limit=75)} == {"w0", "w1", "w2"}


def test_a_reader_sees_each_acknowledged_commit_at_once(shared, path):
    writer = subprocess.Popen(
        [*script(WRITER), str(path), "w", "30"], stdout=subprocess.PIPE, text=True
    )
    for line in writer.stdout:
        assert shared.head.number >= int(line) and len(shared["t"]) >= int(line) - 1
    assert writer.wait(timeout=60) == 0 and len(shared["t"]) == 30


def test_a_killed_writer_loses_nothing_it_acknowledged(shared, path):
    for round_number in range(3):
        writer = subprocess.Popen(
            [*script(WRITER), str(path), f"k{round_number}", "100000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        acknowledged = [int(writer.stdout.readline()) for _ in range(10)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += map(int, writer.stdout.read().split())
        writer.wait(timeout=60)
        mine = {c.number for c in shared.log() if c.author == f"k{round_number}"}
        assert set(acknowledged) <= mine
        shared["t"].append({"time": 0, "who": "after", "n": round_number})
    with oto.open(path) as again:
        assert again.verify().ok and len(again["t"].read(keys={"who": "after"})) == 3


ENDING = """
    import sys, threading, time
    import otolith as oto
    db = oto.open(sys.argv[1])
    t = db.create_table("t", {"time": "timestamp"})
    calls = {
        "append": lambda: t.append({"time": 0}),
        "rows": lambda: len(t),
        "verify": lambda: db.verify(progress=lambda done, total: None),
        "errors": lambda: db.create_table("t", {"time": "timestamp", "n": "int8"}),
    }
    def loop(call):
        while True:
            try:
                call()
            except oto.Conflict:
                pass
    for _ in range(3):
        threading.Thread(target=loop, args=[calls[sys.argv[2]]], daemon=True).start()
    time.sleep(0.1)
    print("ends", flush=True)
"""


@pytest.mark.parametrize("call", ["append", "rows", "verify", "errors"])
def test_a_program_ends_while_daemon_threads_are_in_calls(tmp_path, call):
    for attempt in range(3):
        folder = tmp_path / f"{attempt}.oto"
        ended = subprocess.run(
            [*script(ENDING), folder, call], capture_output=True, text=True, timeout=60
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ends\n", "")


WAITER = """
    import signal, sys, time
    import otolith as oto
    signal.signal(signal.SIGINT, signal.default_int_handler)
    db = oto.open(sys.argv[1], read_only=True)
    print("waits", flush=True)
    try:
        db.wait()
    except KeyboardInterrupt:
        print("interrupted")
    """


def test_wait_meets_each_commit_of_another_thread_once(db):
    table = db.create_table("t", {"time": "timestamp"})
    seen = db.head
    writer = threading.Thread(
        target=lambda: [table.append({"time": f"2026-01-0{day}"}) for day in range(1, 6)]
    )
    writer.start()
    numbers = []
    for _ in range(5):
        seen = db.wait(seen, timeout="10s")
        numbers.append(seen.number)
    writer.join()
    assert numbers == [2, 3, 4, 5, 6]
    assert db.wait(timeout=0.02) is None
    assert db.wait(after=0, timeout=0).number == 1


def test_wait_lets_other_threads_run(db):
    with Ticker() as ticker:
        took, moved = ticker.moved_during(lambda: db.wait(timeout=0.2))
    assert took >= 0.2 and moved > 20


def test_wait_is_ended_by_ctrl_c(tmp_path):
    oto.open(tmp_path / "a.oto").close()
    waiter = subprocess.Popen(
        [*script(WAITER), str(tmp_path / "a.oto")], stdout=subprocess.PIPE, text=True
    )
    assert waiter.stdout.readline() == "waits\n"
    time.sleep(0.1)
    waiter.send_signal(signal.SIGINT)
    assert waiter.communicate(timeout=10)[0] == "interrupted\n"


def test_compact_seals_sweeps_and_tells_how_far_it_is(path):
    with oto.open(path) as db:
        table = db.create_table("t", {"time": "timestamp"})
        for day in range(1, 6):
            table.append({"time": f"2026-01-0{day}"})
        told = []
        report = db.compact(progress=lambda done, total: told.append((done, total)))
        assert (report.sealed_rows, report.swept_files, report.swept_bytes) == (5, 0, 0)
        assert told[0][0] == 0 and told[-1][0] == told[-1][1] > 0
        status = db.status()
        assert status.tail_commits == status.unnamed_files == status.unnamed_bytes == 0
        assert len(table) == 5 and db.compact().sealed_rows == 0
        table.append({"time": "2026-01-09"})
        with pytest.raises(ZeroDivisionError):
            db.compact(progress=lambda done, total: 1 / 0)
        assert db.status().datasets["t"].tail_rows == 1


def test_compact_joins_small_segments_and_changes_no_answer(path):
    rows = 60_000  # beyond what a commit keeps in the log
    with oto.open(path) as db:
        table = db.create_table("t", {"time": "timestamp", "n": "int64", "x": "float64"})
        for day in range(12):
            times = np.arange(rows) * 10**6 + day * 86_400 * 10**9
            n = np.random.default_rng(day).integers(0, 2**60, rows)
            table.append({"time": times, "n": n, "x": n / 3})
        assert db.status().datasets["t"].segments == 12
        old = db.at(7)["t"]
        before = [table.read()["n"].copy(), old.read()["n"].copy()]
        report = db.compact()
        assert (report.joined_segments, report.joined_rows) == (12, 12 * rows)
        assert report.joined_bytes > 0
        assert " 12 segments of " in repr(report)
        status = db.status()
        assert status.datasets["t"].segments == 2  # of 8 and 4 commits
        assert status.unnamed_files == 12  # for those who read them still
        assert db.compact().joined_segments == 0
        for reads in (table, old):
            assert np.array_equal(reads.read()["n"], before[reads is old])
        assert len(old) == 6 * rows and db.verify().ok


def test_compact_parts_what_head_shows_from_what_it_does_not(path):
    with oto.open(path) as db:
        notes = db.collection("notes")
        for n in range(16):
            notes.put([{"_id": str(i), "n": n} for i in range(50)])
        revisions = [each.commit for each in notes.revisions("7")]
        report = db.compact(bytes_per_second=10**9)
        assert report.joined_segments == 1  # the seal of all, of which most is past
        assert (report.present_rows, report.past_rows) == (50, 750)
        assert " present row" in repr(report) and " of 750 past rows" in repr(report)
        assert db.compact().joined_segments == 0
        assert notes.get("7")["n"] == 15
        assert db.at(3)["notes"].get("7")["n"] == 2
        assert [each.commit for each in notes.revisions("7")] == revisions
        db.rollback(5)
        assert notes.get("7")["n"] == 4
        for rate in (0, -1, "fast", True):
            with pytest.raises(oto.InvalidArgument):
                db.compact(bytes_per_second=rate)


def test_compact_is_refused_where_nothing_may_be_written(path):
    oto.open(path).close()
    with oto.open(path, read_only=True) as db, pytest.raises(oto.InvalidArgument):
        db.compact()


KILLED = """
    import os, signal, sys
    import numpy as np
    import otolith as oto
    db = oto.open(sys.argv[1], memory_bytes=2**20)
    recorder = db.recorder()
    recorder["t"].append({"time": np.arange(200_000), "n": np.arange(200_000)})
    os.kill(os.getpid(), signal.SIGKILL)
    """


def test_what_a_killed_recorder_left_is_told_and_swept(path):
    with oto.open(path) as db:
        db.create_table("t", {"time": "timestamp", "n": "int64"})
        subprocess.run([*script(KILLED), str(path)], check=False)
        status = db.status()
        assert status.unnamed_files == 1 and status.unnamed_bytes > 0
        assert "1 segment file of " in repr(status)
        report = db.compact()
        assert (report.swept_files, report.swept_bytes) == (1, status.unnamed_bytes)
        assert repr(report).startswith("0 rows sealed; 0 segments of 0 B joined; 1 unneeded file ")
        assert db.status().unnamed_files == 0


def test_a_short_program_leaves_its_rows_sealed(path):
    with oto.open(path, durability="relaxed") as db:
        table = db.create_table("t", {"time": "timestamp"})
        for n in range(4_200):
            table.append({"time": np.int64(n)})
    with oto.open(path, read_only=True) as db:
        status = db.status()
        assert status.datasets["t"].segments >= 1 and status.datasets["t"].tail_rows < 4_096
        assert len(db["t"]) == 4_200


@pytest.mark.parametrize(
    "wrong", [{"after": -1}, {"after": "x"}, {"timeout": -1}, {"timeout": "x"}]
)
def test_wait_refuses_what_is_no_commit_or_time(db, wrong):
    with pytest.raises(oto.InvalidArgument):
        db.wait(**wrong)
