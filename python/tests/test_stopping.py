"""Long reads: progress=, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import otolith as oto
from test_command_line import BINARY

ROWS = 3_000_000


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A table whose rows of many keys lie in several files, so that a read by time merges them."""
    with oto.open(tmp_path_factory.mktemp("long") / "a.oto", threads=1) as db:
        t = db.create_table(
            "t", {"time": "timestamp", "k": "int32", "x": "float64", "s": "string"},
            keys=["k"], partition=None,
        )  # fmt: skip
        rng = np.random.default_rng(1)
        for _ in range(3):
            n = ROWS // 3
            t.append(
                {
                    "time": np.sort(rng.integers(0, 10**15, n)),
                    "k": rng.integers(0, 1000, n).astype(np.int32),
                    "x": rng.normal(size=n),
                    "s": np.array([f"text {i % 9999}" for i in range(n)], object),
                }
            )
        t.database = db
        yield t


@pytest.fixture(autouse=True)
def heard():
    """Who was started behind another program may ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt(after_s, sent):
    time.sleep(after_s)
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    "work",
    [
        lambda t: t.read(),
        lambda t: t.read(order="stored", where=(oto.col("x") > 0) | (oto.col("s") == "text 7")),
        lambda t: t.read(where=oto.col("x") > 0),
        lambda t: t.read(columns=["s"], order="stored")["s"],
        lambda t: t.asof(10**15),
        lambda t: t.database.verify(),
    ],
    ids=["merge", "filter", "filter and merge", "text", "asof", "verify"],
)
def test_ctrl_c_ends_a_read_within_100_ms(long, work):
    """Again and again, a little later each time, until the work is done before."""
    waits, after_s, done = [], 0.002, False
    while not done:
        sent = []
        thread = threading.Thread(target=_interrupt, args=(after_s, sent))
        try:
            thread.start()
            work(long)
            done = True
            thread.join()  # the signal comes when there is nothing left to end
            time.sleep(1)
        except KeyboardInterrupt:
            ended = time.perf_counter()
            thread.join()
            if not done:
                waits.append(ended - sent[0])
        after_s += 0.04
    assert waits
    # Of most: where the machine is busy with other work one may take longer.
    assert sorted(waits)[len(waits) // 2] < 0.1, waits
    assert max(waits) < 2
    assert len(long) == ROWS  # nothing is left of it


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "where",
    ["matches(s, 'a{0,200}a{0,200}[bc]')", "s like '%" + "a" * 99 + "_b%'"],
    ids=["matches", "like"],
)
def test_ctrl_c_ends_a_search_in_texts_within_100_ms(threads, where):
    """Of two pages of texts, each of which takes seconds."""
    rows = 2 * 8192
    with oto.open(":memory:", threads=threads) as db:
        t = db.create_table("t", {"time": "timestamp", "s": "string"})
        text = "a" * (300 if "matches" in where else 20_000)
        t.append({"time": np.arange(rows), "s": [text] * rows})
        waits = []
        while len(waits) < 5 and min(waits, default=1) >= 0.1:  # the machine may be busy
            sent = []
            thread = threading.Thread(target=_interrupt, args=(0.3, sent))
            with pytest.raises(KeyboardInterrupt):
                thread.start()
                t.read(where=where)
                thread.join()
                time.sleep(1)
            ended = time.perf_counter()
            thread.join()
            waits.append(ended - sent[0])
        assert waits[-1] < 0.1, waits


@pytest.fixture
def parts(tmp_path):
    """A collection that is joined at once and one that takes its time, of four segments each."""
    path = tmp_path / "parts.oto"
    with oto.open(path) as db:
        for name, size, text in (
            ("few", 10, "x" * 150_000),
            ("many", 40_000, "some words of text"),
        ):
            notes = db.collection(name)
            for n in range(4):
                notes.put([{"_id": str(i), "n": n, "text": f"{text} {i * n}"} for i in range(size)])
        of = db.status().datasets
        assert of["few"].segments == of["many"].segments == 4
        assert of["few"].segment_bytes < 100_000 and of["many"].segment_bytes > 1_000_000
    return path


def _stop_after_the_first(path, stop):
    """Once the small collection is joined, which is the first."""
    with oto.open(path, read_only=True) as db:
        while db.status().datasets["few"].segments != 2:
            time.sleep(0.01)
    stop()


def check_goes_on(path):
    """What was done stays, what was begun is as it was, and the next compact does the rest."""
    with oto.open(path) as db:
        of = db.status().datasets
        assert of["few"].segments == 2 and of["many"].segments > 2
        assert [len(db[name]) for name in ("few", "many")] == [10, 40_000]
        assert db.verify(history=True).ok
        report = db.compact()
        assert report.joined_segments > 0
        of = db.status().datasets
        assert of["few"].segments == 2 and of["many"].segments == 2
        assert db["many"].get("7")["n"] == 3 and len(db.at(2)["few"]) == 10
        assert db.compact().joined_segments == 0
        assert db.verify(history=True).ok


def test_ctrl_c_ends_a_compact_and_what_was_done_stays(parts):
    def interrupt():
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=_stop_after_the_first, args=(parts, interrupt))
    with oto.open(parts) as db:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            db.compact(bytes_per_second=200_000)
        thread.join()
    check_goes_on(parts)


@pytest.mark.parametrize("door", ["script", "binary"])
def test_an_interrupt_ends_the_command_compact_and_what_was_done_stays(parts, door):
    words = [
        sys.executable,
        "-c",
        "import sys; from otolith.command_line import main; sys.exit(main())",
    ]
    if door == "binary":
        words = [str(BINARY)]
        if not BINARY.exists():
            pytest.skip("the binary is not built here")
    process = subprocess.Popen([*words, "compact", parts, "--bytes-per-second", "200000"])
    _stop_after_the_first(parts, lambda: process.send_signal(signal.SIGINT))
    assert process.wait(timeout=60) != 0
    check_goes_on(parts)


def test_a_read_tells_of_rows_done_and_in_all(long):
    told = []
    rows = len(long.read(progress=lambda done, total: told.append((done, total))))
    assert rows == ROWS and told[-1] == (ROWS, ROWS) and len(told) > 1
    assert all(0 <= done <= total for done, total in told)
    told.clear()
    d = long.read(where=oto.col("x") > 0, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(d), len(d))


def test_true_is_a_bar_of_rows(long, capsys):
    long.read(limit=2000, progress=True)
    assert "100% of 2,000 rows\n" in capsys.readouterr().err


def test_an_exception_of_progress_ends_the_read(long):
    def stop(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        long.read(progress=stop)
    with pytest.raises(oto.InvalidArgument, match="progress='yes': give True, or a callable"):
        long.read(progress="yes")
    assert len(long.read(limit=3)) == 3
