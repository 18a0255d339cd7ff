"""Bad input: one clear error that names the thing and the remedy; history unchanged."""

import datetime as dt
import functools
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import otolith as oto
from conftest import QUOTES, rows


@pytest.fixture
def unchanged(db, quotes):
    """The table; afterwards HEAD must be where it was."""
    quotes.append(rows(3))
    head = db.head
    yield quotes
    assert db.head == head and len(quotes) == 3 and db.verify().ok


def without(name):
    return {column: values for column, values in rows(2).items() if column != name}


GOOD = rows(2)
ROW = {"time": 0, "symbol": "A"}
HUGE = 10**5000  # which Python refuses to write out
LONG = "x" * 10**6
BAD_DATA = [
    ({}, "the dict has no columns"),
    (without("bid"), '"bid" is missing'),
    (pd.DataFrame(without("bid")), '"bid" is missing'),
    (without("time"), '"time" is missing'),
    ({**GOOD, "venue": ["x", "y"]}, 'no column "venue".* its columns are time, symbol'),
    ({**without("bid"), "bidd": [1, 2]}, 'no column "bidd".*did you mean "bid"'),
    ([{"time": 0, "symbol": "A", "biid": 1.5}], 'no column "biid".*did you mean "bid"'),
    ([{"time": 0}], '"symbol": row 0 leaves it out'),
    ([{"time": 0, "symbol": "A"}, {"symbol": "A"}], '"time": row 1 leaves it out'),
    ({"time": 0, "symbol": None}, '"symbol".*row 0 is null'),
    ({**GOOD, "symbol": ["A", None]}, '"symbol".*row 1 is null'),
    ({**GOOD, "time": ["2026-01-05", None]}, '"time".*row 1 is null'),
    ({**GOOD, "time": np.array(["2026-01-05", "NaT"], "M8[s]")}, '"time".*row 1 is null'),
    ({**GOOD, "bid": [1.5]}, '"bid" has 1 rows, column "time" has 2'),
    ({**GOOD, "bid": 1.5}, '"bid": it is one value, and other columns are many; repeat it'),
    ({**GOOD, "bid": ["a", "b"]}, "\"bid\": row 0 is str 'a', which is no float64"),
    ({**GOOD, "bid": np.array(["a", "b"])}, '"bid": it is float64; <U1 values'),
    (
        {**GOOD, "bid": np.array([1.5, "b"], object)},
        "\"bid\": row 1 is str 'b', which is no float64",
    ),
    ({**GOOD, "symbol": np.array(["A", 1.5], object)}, '"symbol": row 1 is no text: float 1.5'),
    ([{**ROW, "bid": 1.5}, {**ROW, "bid": "x"}], "\"bid\": row 1 is str 'x', which is no float64"),
    ([{**ROW, "size": 1}, {**ROW, "size": None}, {**ROW, "size": [2]}], '"size": row 2 is list'),
    ({**GOOD, "bid": [True, False]}, '"bid" is float64; bool values'),
    (
        {**GOOD, "size": [1, 2.5]},
        '"size": row 1 is 2.5, which cannot be kept without loss as int32',
    ),
    ({**GOOD, "size": [1, 2**31]}, '"size": row 1 is 2147483648, which cannot'),
    ({**GOOD, "size": [1, 2**70]}, '"size": row 1 is 1180591620717411303424'),
    ({**GOOD, "size": [1, float("nan")]}, "\"size\": row 1 is nan.*nan='null' makes it null"),
    (pd.DataFrame({**GOOD, "size": [1, None]}), "\"size\": row 1 is nan.*nan='null' makes"),
    ({**GOOD, "size": pl.Series([1.0, float("nan")])}, "\"size\": row 1 is nan.*nan='null'"),
    ({**GOOD, "bid": [1.5, 2**53 + 1]}, '"bid": row 1 is 9007199254740993'),
    ({**GOOD, "size": GOOD["time"]}, '"size": it is int32; datetime64'),
    ({**GOOD, "bid": np.ones((2, 2))}, '"bid": its values have 2 dimensions'),
    ({**GOOD, "bid": [1.5, dt.datetime(2026, 1, 1)]}, '"bid": row 1 is the time 2026'),
    ({**GOOD, "symbol": ["A", 7]}, '"symbol": row 1 is no text: int 7'),
    ({**GOOD, "symbol": ["A", "\ud800"]}, '"symbol": row 1 is text that is no UTF-8'),
    ({**GOOD, "time": ["2026-01-05", "then"]}, '"time": row 1: "then" is not a time'),
    ({**GOOD, "time": [0, 2**63]}, '"time": row 1: time 9223372036854775808 ns is out of range'),
    (
        {**GOOD, "time": np.array(["2026", "3000"], "M8[Y]")},
        '"time": row 1 holds 3000, which is out of range',
    ),
    ({**GOOD, "time": np.array([0, -(2**63)])}, '"time".*(no time|null)'),
    ({**GOOD, "time": [1.5, 2.5]}, '"time".*no time'),
    ([1, 2], "list cannot be appended"),
    ("text", "str cannot be appended"),
    (np.zeros(3), "ndarray cannot be appended"),
    (None, "NoneType cannot be appended"),
    (pa.table({"time": [0]}), 'columns "symbol", "bid", "ask", "size" are missing'),
    (pl.DataFrame(GOOD).lazy(), "LazyFrame cannot be appended before it is collected"),
    ({**GOOD, "bid": pa.array([[1.5], [2.5]])}, "the Arrow type list cannot be appended; cast it"),
    ({**GOOD, "size": pl.Series([1, 2**31])}, '"size": row 1 is 2147483648, which cannot'),
    ({**GOOD, "bid": pa.array([True, False])}, '"bid" is float64; bool values do not become that'),
    ({**GOOD, "bid": pa.array([1, 1]).dictionary_encode()}, "Arrow type dictionary of numbers"),
    ({**GOOD, "bid": {1: 1.5, 2: 2.5}.values()}, '"bid": it is dict_values; give a list'),
    ({**GOOD, "bid": {1.5, 2.5}}, '"bid": it is set; give a list or an array'),
    ({**GOOD, "bid": iter([1.5, 2.5])}, '"bid": it is list_iterator; give a list'),
    (
        pd.DataFrame(GOOD).set_index("symbol"),
        '"symbol" is missing; it is in the index.*reset_index',
    ),
    ({**GOOD, "bid": [1.5, HUGE]}, '"bid": row 1 is <int of 16610 bits>, which cannot be kept'),
    ({**GOOD, "size": [1, HUGE]}, '"size": row 1 is <int of 16610 bits>, which cannot be kept'),
    ({**GOOD, "time": [0, HUGE]}, '"time": row 1: time <int of 16610 bits> ns is out of range'),
    ({**GOOD, "symbol": ["A", HUGE]}, '"symbol": row 1 is no text: int <int of 16610 bits>'),
    ({**GOOD, "bid": [1.5, 2**1100]}, '"bid": row 1 is <int of 1101 bits>, which cannot'),
    ({**GOOD, "bid": [1.5, [[HUGE]]]}, '"bid": row 1 is list <list>, which is no'),
    ({**GOOD, "time": pa.array([0, 2**62], pa.timestamp("s"))}, '"time": row 1 .*out of range'),
]


@pytest.mark.parametrize(("data", "message"), BAD_DATA, ids=[message for _, message in BAD_DATA])
def test_data_that_does_not_fit_is_refused(unchanged, data, message):
    with pytest.raises(oto.InvalidArgument, match=message):
        unchanged.append(data)


BAD_READS = [
    ({"start": "then"}, '"then" is not a time'),
    ({"start": 1.5}, "1.5 is no time"),
    ({"stop": "3000-01-01"}, "out of range"),
    ({"columns": ["bidd"]}, 'bidd".*did you mean "bid"'),
    ({"columns": [7]}, "columns: 7"),
    ({"columns": ["bid", "bid"]}, "bid"),
    ({"keys": {"symbl": "A"}}, 'symbl".*did you mean "symbol"'),
    ({"keys": {"bid": 1}}, "bid"),
    ({"keys": {"symbol": 1}}, "symbol"),
    ({"keys": {"symbol": 1.5}}, '"symbol" is asked for as 1.5'),
    ({"keys": "A"}, "keys: give a dict"),
    ({"limit": -1}, "limit=-1"),
    ({"limit": True}, "limit=True: give an int"),
    ({"limit": 1.5}, "limit=1.5"),
    ({"order": "random"}, "order='random'"),
    ({"where": "bid > > 90"}, "expected a value"),
    ({"where": lambda batch: batch["bid"] > 90}, "where= takes no function"),
    ({"where": True}, "where=True: give an expression"),
    ({"timezone": "Mars/Olympus"}, "timezone='Mars/Olympus'"),
    ({"start": HUGE}, "time <int of 16610 bits> ns is out of range"),
    ({"limit": HUGE}, "limit=<int of 16610 bits>: give a number from 0 to 9223372036854775807"),
    ({"keys": {"symbol": HUGE}}, '"symbol" is asked for as <int of 16610 bits>, beyond 64 bits'),
    ({"reverse": "no"}, "reverse='no': give True or False"),
    ({"limit": LONG}, "limit='xxx"),
    ({"start": [LONG]}, "is no time"),
    ({"columns": [[LONG]]}, "is no name of a column"),
    ({"keys": {"symbol": [[LONG]]}}, '"symbol" is asked for as'),
    ({"order": LONG}, "order='xxx"),
    ({"timezone": LONG}, "timezone='xxx"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), BAD_READS, ids=[message for _, message in BAD_READS]
)
def test_reads_that_make_no_sense_are_refused(unchanged, arguments, message):
    with pytest.raises((oto.InvalidArgument, oto.NotFound), match=message) as caught:
        unchanged.read(**arguments)
    assert len(str(caught.value)) < 500


TIME = {"time": "timestamp"}
DEEP = functools.reduce(lambda inner, _: [inner], range(10**5), [])
BAD_TABLES = [
    (("", TIME), {}, "name"),
    (("a\0b", TIME), {}, "control character"),
    (("a\nb", TIME), {}, "control character"),
    (("x" * 65536, TIME), {}, "too long"),
    (("t", {}), {}, "column"),
    (("t", {"x": "int8"}), {}, "time"),
    (("t", {"time": "int64"}), {}, "time"),
    (("t", {**TIME, "": "int8"}), {}, "name"),
    (("t", {**TIME, "a\0b": "int8"}), {}, "control character"),
    (("t", {**TIME, "x" * 65536: "int8"}), {}, "too long|255"),
    (("t", {**TIME, 7: "int8"}), {}, "a column's name is text"),
    (("t", {**TIME, "x": "int9"}), {}, 'column "x": "int9" is no type'),
    (("t", {**TIME, "x": "decimal"}), {}, 'column "x": "decimal" is no type'),
    (("t", {**TIME, "x": "decimal(39,2)"}), {}, 'column "x": .*a precision of 1 to 38 digits'),
    (("t", {**TIME, "x": "decimal(0,0)"}), {}, 'column "x": .*a precision of 1 to 38 digits'),
    (("t", {**TIME, "x": "decimal(2,3)"}), {}, "a scale from 0 to its precision"),
    (("t", {**TIME, "x": np.float16}), {}, 'column "x": the NumPy type float16 is no column type'),
    (("t", {**TIME, **{f"x{i}": "int8" for i in range(10_000)}}), {}, "kColumnsMax 4096"),
    (("t", ["time"]), {}, "columns: give a dict"),
    (("t", TIME), {"keys": ["symbol"]}, "symbol"),
    (("t", {**TIME, "x": "float64"}), {"keys": ["x"]}, "x"),
    (("t", TIME), {"keys": [7]}, "a key is text"),
    (("t", TIME), {"time": "tiem"}, 'tiem'),
    (("t", TIME), {"partition": "week"}, "partition='week': choose one of 'hour', 'day', 'mo"),
    (("t", TIME), {"partition": 1}, "partition=1: choose one of"),
    (("t", TIME), {"duplicates": "some"}, "duplicates='some': choose one of 'keep', 'last', 'fi"),
    (("t", TIME), {"duplicates": None}, "duplicates=None: choose one of 'keep'"),
    (("t", TIME), {"storage": "lmdb"}, "storage='lmdb' is not built yet"),
    (("t", TIME), {"codec": "zip"}, "zip"),
    (("t", TIME), {"codec": {"tme": "raw"}}, 'codec: no column "tme".*did you mean "time"'),
    (("t", TIME), {"codec": 7}, "codec=7"),
    (("t", TIME), {"index": ["x"]}, "index= is not built yet"),
    (("t", TIME), {"fetch": print}, "fetch= is not built yet"),
    (("t", TIME), {"segment_bytes": 1}, "segment_bytes is 1; give 1048576 .1 MiB. to"),
    (("t", TIME), {"segment_bytes": 0}, "segment_bytes=0: give bytes, or leave it out"),
    (("t", TIME), {"segment_bytes": 2**40}, "segment_bytes is 1099511627776; give"),
    (("t", TIME), {"spread": 0}, "spread is 0; give 1 to 128 files"),
    (("t", TIME), {"spread": 2**32}, "spread=4294967296: a few files are meant"),
    (("t", TIME), {"spread": "two"}, "spread='two': give an int"),
    (("t", TIME), {"metadata": {"a": 1}}, "metadata 'a' is text"),
    (("t", TIME), {"author": 7}, "author=7"),
    (("t", TIME), {"author": HUGE}, "author=<int of 16610 bits>"),
    (("t", TIME), {"author": [LONG]}, "author=.*give text"),
    (("t", TIME), {"change_id": HUGE}, "change_id=<int of 16610 bits>: give 32 hex digits"),
    (("t", TIME), {"extra": DEEP}, "extra= is nested too deeply"),
    (("t", TIME), {"extra": HUGE}, "extra= is kept as JSON"),
    (("t", TIME), {"exist_ok": 1}, "exist_ok=1: give True or False"),
    (("t", TIME), {"storage": [LONG]}, "storage=.*is not built yet"),
    (("t", TIME), {"codec": "smal"}, 'did you mean "small".*; use hot, small or raw'),
    (("t", {**TIME, "x": "bol"}), {}, "types are bool, .*binary$"),
    (("t", {**TIME, "x": [LONG]}), {}, "is no column type"),
    (("t", TIME), {"metadata": LONG}, "metadata='xxx"),
    (("t", {**TIME, 7: LONG}), {}, "a column's name is text"),
    (("t", TIME), {"keys": [[LONG]]}, "a key is text"),
    (("t", TIME), {"partition": LONG}, "partition='xxx"),
    ((7, TIME), {}, "datasets are named by text"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "options", "message"), BAD_TABLES, ids=range(len(BAD_TABLES))
)
def test_tables_that_cannot_be_are_refused(db, unchanged, arguments, options, message):
    with pytest.raises((oto.InvalidArgument, oto.LimitExceeded), match=message) as caught:
        db.create_table(*arguments, **options)
    assert len(str(caught.value)) < 500
    assert db.datasets() == ["quotes"]


def test_an_unknown_dataset_names_the_nearest(db, unchanged):
    with pytest.raises(KeyError, match='no dataset "qoutes".*did you mean "quotes"'):
        db["qoutes"]
    with pytest.raises(oto.InvalidArgument, match="named by text"):
        db[0]
    with pytest.raises(oto.NotFound, match='did you mean "bid"'):
        unchanged.read()["bidd"]
    with pytest.raises(oto.NotFound, match='did you mean "bid"'):
        unchanged.schema["bidd"]


BAD_OPENS = [
    ({"durability": "eventual"}, "durability='eventual'"),
    ({"threads": 0}, "threads=0"),
    ({"threads": "many"}, "threads='many'"),
    ({"memory_bytes": -1}, "memory_bytes=-1"),
    ({"lock_wait": "soon"}, "lock_wait='soon'"),
    ({"lock_wait": -1}, "lock_wait=-1"),
    ({"lock_wait": HUGE}, "lock_wait=<int of 16610 bits>"),
    ({"lock_wait": LONG}, "lock_wait='xxx"),
    ({"threads": HUGE}, "threads=<int of 16610 bits>"),
    ({"create": "no"}, "create='no': give True or False"),
    ({"read_only": 0}, "read_only=0: give True or False"),
    ({"mmap": None}, "mmap=None: give True or False"),
    ({"timezone": "Mars/Olympus"}, "timezone='Mars/Olympus'"),
]


@pytest.mark.parametrize(
    ("options", "message"), BAD_OPENS, ids=[message for _, message in BAD_OPENS]
)
def test_options_of_open_are_checked_by_name(path, options, message):
    with pytest.raises(oto.InvalidArgument, match=message) as caught:
        oto.open(path, **options)
    assert len(str(caught.value)) < 500
    assert not path.exists()


def test_a_missing_database_is_not_made_where_that_is_not_wanted(path):
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(oto.NotFound, match="market.oto"):
            oto.open(path, **options)
    assert not path.exists()


def test_a_path_that_can_be_none_is_refused_and_told_in_short(path):
    for name in ("x" * 300, "y" * 65536):
        with pytest.raises(oto.InvalidArgument, match="give a shorter path") as caught:
            oto.open(path.parent / name)
        assert len(str(caught.value)) < 1000
    path.write_text("mine")
    with pytest.raises(oto.NotFound, match="a part of the path is a file"):
        oto.open(path / "below")


def test_memory_begins_empty(path):
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(oto.InvalidArgument, match=":memory: begins empty"):
            oto.open(":memory:", **options)


def test_a_truth_value_is_no_number_of_a_commit(db):
    with pytest.raises(oto.InvalidArgument, match="commit=True: give an int"):
        db.at(True)


def test_values_that_cannot_be_written_out_are_refused_by_every_verb(db, quotes):
    for call in (
        lambda: quotes.head(HUGE),
        lambda: quotes.tail(HUGE),
        lambda: db.at(HUGE),
        lambda: db.at(time=HUGE),
        lambda: db.log(limit=HUGE),
        lambda: db.tag("v1", HUGE),
        lambda: oto.decimal(HUGE),
        lambda: oto.decimal(12, HUGE),
        lambda: db.log(reverse="no"),
    ):
        with pytest.raises(oto.InvalidArgument, match="<int of 16610 bits>|reverse='no'"):
            call()


def test_what_is_no_name_is_in_no_schema(quotes):
    assert [1] not in quotes.schema and [1] not in quotes.read()
    with pytest.raises(oto.NotFound, match=r"no column \[\[1\]\]; there are"):
        quotes.schema[[[1]]]


def test_a_flag_may_be_of_numpy(path):
    with oto.open(path, create=np.True_, mmap=np.False_) as db:
        assert db.datasets() == []


def test_a_time_that_is_none_is_told_what_its_column_allows(db):
    table = db.create_table("n", {"time": "timestamp", "other": "timestamp"})
    for data, remedy in (
        ({"time": np.array([0, -(2**63)]), "other": [0, 0]}, "give each row a time"),
        ({"time": [0, 0], "other": np.array([0, -(2**63)])}, "make it null"),
    ):
        with pytest.raises(oto.InvalidArgument, match=f"row 1 holds -2.63.*{remedy}"):
            table.append(data)


def test_a_folder_that_is_no_database_is_refused(path):
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(oto.InvalidArgument, match="notes.txt"):
        oto.open(path)
    assert [file.name for file in path.iterdir()] == ["notes.txt"]


def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("mine")
    with pytest.raises(oto.Error, match="market.oto"):
        oto.open(path)
    assert path.read_text() == "mine"


@pytest.fixture
def stored(path):
    """A database on disk with one table in a segment."""
    with oto.open(path) as db:
        db.create_table("big", QUOTES, keys=["symbol"]).append(rows(50_000))
        db.create_table("small", TIME).append({"time": 0})
    return path


def test_a_newer_format_is_refused(stored):
    marker = stored / "OTOLITH"
    marker.write_text(marker.read_text().replace("format 1", "format 999"))
    with pytest.raises(oto.UnsupportedFormat, match="999.*newer Otolith"):
        oto.open(stored)


def test_a_segment_that_is_none_is_corrupt_and_the_rest_is_read(stored):
    segment = next(stored.glob("segments/**/*.seg"))
    segment.write_bytes(b"this is no segment" * 1000)
    with oto.open(stored) as db:
        with pytest.raises(oto.Corrupt) as caught:
            db["big"].read()["bid"]
        assert caught.value.where["file"] == str(segment.relative_to(stored))
        assert len(db["small"].read()) == 1
        report = db.verify()
        assert not report.ok and any(
            p.where["file"] == caught.value.where["file"] for p in report.problems
        )


def test_foreign_files_are_reported_and_kept(stored):
    foreign = next(stored.glob("segments/*")) / "holiday.jpg"
    foreign.write_bytes(b"jpg")
    with oto.open(stored) as db:
        assert any("holiday.jpg" in entry for entry in db.status().foreign)
    assert foreign.exists()


def run(script, *arguments):
    """Runs a script in a process of its own and gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_full_disk_fails_that_commit_only(stored):
    """A limit of the file size stands in for the full disk: the kernel refuses in the same way."""
    told = run(
        """
        import resource, sys
        import numpy as np
        import otolith as oto
        db = oto.open(sys.argv[1])
        head = db.head
        n = 1_000_000
        noise = np.random.default_rng(1).random(n)  # no codec makes it fit
        data = {"time": np.arange(n), "symbol": ["A"] * n, "bid": noise, "ask": noise,
                "size": np.ones(n)}
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        try:
            db["big"].append(data)
        except oto.NoSpace as error:
            print(error.outcome, isinstance(error, OSError))
        assert db.head == head and len(db["big"].read()) == 50_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        db["big"].append(data)
        print(len(db["big"]), db.verify().ok)
        """,
        stored,
    )
    assert told == "failed True\n1050000 True"


def test_a_recorder_that_a_full_disk_ended_says_so_at_its_end(stored):
    told = run(
        """
        import resource, sys
        import numpy as np
        import otolith as oto
        db = oto.open(sys.argv[1], memory_bytes=1 << 20)
        n = 200_000
        noise = np.random.default_rng(1).random(n)  # no codec makes it fit
        data = {"time": np.arange(n), "symbol": ["A"] * n, "bid": noise, "ask": noise,
                "size": np.ones(n)}
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
        head = db.head
        def failing(r):
            try:
                r["big"].append(data)
            except oto.NoSpace:
                print("handled")
        try:
            with db.recorder() as r:
                r["small"].append({"time": 1})
                failing(r)
                try:
                    r["small"].append({"time": 2})
                except oto.InvalidArgument as error:
                    print("was ended by an error" in str(error))
        except oto.NoSpace:
            print("told", r)
        with db.recorder() as r:
            failing(r)
            r.discard()
        print(r, db.head == head)
        """,
        stored,
    )
    lines = ["handled", "True", "told Recorder (failed)", "handled", "Recorder (discarded) True"]
    assert told.splitlines() == lines


def test_no_more_descriptors_is_one_clear_error(stored):
    told = run(
        """
        import os, resource, sys
        import otolith as oto
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        try:
            oto.open(sys.argv[1])
        except oto.IoError as error:
            print("open files" in str(error) or "descriptors" in str(error))
        for descriptor in held:
            os.close(descriptor)
        print(len(oto.open(sys.argv[1])["big"].read()))
        """,
        stored,
    )
    assert told == "True\n50000"


def test_rows_of_an_unregistered_codec_are_refused_however_few(db):
    table = db.create_table("t", {"time": "timestamp", "x": "int64"}, codec={"x": "codec:nosuch"})
    for count in [1, 200_000]:
        with pytest.raises(oto.UnsupportedFormat, match="nosuch"):
            table.append({"time": np.arange(count), "x": np.arange(count)})
    assert len(table.read()) == 0
