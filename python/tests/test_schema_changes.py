"""Changes of schemas: alter, drop and rename as users call them, and what old commits show."""

import pytest

import otolith as oto
from conftest import QUOTES, rows


def test_alter_adds_drops_renames_and_widens_in_one_commit(db, quotes):
    quotes.append(rows(2))
    before = db.head
    c = quotes.alter(
        add={"venue": oto.string, "n": "int8"},
        drop=["ask"],
        rename={"bid": "best_bid"},
        widen={"size": oto.int64},
        author="bob",
        message="venues",
        extra={"ticket": 7},
    )
    assert (c.author, c.message, c.extra) == ("bob", "venues", {"ticket": 7})
    assert c.number == before.number + 1 and c.changes == {"quotes": (0, 0)}
    assert quotes.schema.names == ["time", "symbol", "best_bid", "size", "venue", "n"]
    assert quotes.schema["size"].dtype == oto.int64
    quotes.append(
        {"time": "2026-01-06", "symbol": "B", "best_bid": 9.0, "size": 2**40, "venue": "X", "n": 1}
    )
    d = quotes.read()
    assert d["size"].tolist() == [0, 1, 2**40] and d["size"].dtype == "i8"
    assert d["venue"].tolist() == [None, None, "X"] and d["best_bid"].tolist() == [0, 0.25, 9]
    assert d["n"].tolist() == [None, None, 1]
    assert len(quotes.read(where=oto.col("venue").is_null())) == 2
    assert len(quotes.read(where=oto.col("size") > 2**31)) == 1
    assert d.to_pandas()["venue"].isna().tolist() == [True, True, False]
    old = db.at(before)["quotes"]
    assert old.schema.names == list(QUOTES) and old.schema["size"].dtype == oto.int32
    assert old.read()["ask"].tolist() == [0.5, 0.75] and old.read()["size"].dtype == "i4"
    assert db.verify().ok


def test_what_cannot_be_altered_is_refused_and_makes_no_commit(db, quotes):
    quotes.append(rows(1))
    before = db.head
    for change, error, words in (
        ({"drop": "time"}, oto.InvalidArgument, "the time column"),
        ({"drop": ["symbol"]}, oto.InvalidArgument, '"symbol" is a key'),
        ({"drop": ["sise"]}, oto.InvalidArgument, 'did you mean "size"'),
        ({"drop": 5}, oto.InvalidArgument, "a list of names"),
        ({"drop": [5]}, oto.InvalidArgument, "is text, not int"),
        ({"add": {"bid": "int8"}}, oto.Conflict, '"bid" exists already'),
        ({"add": {"must": oto.required("int8")}}, oto.InvalidArgument, "must take nulls"),
        ({"add": ["venue"]}, oto.InvalidArgument, "a dict of names and types"),
        ({"add": {"x": "int7"}}, oto.InvalidArgument, "int7"),
        ({"add": {"": "int8"}}, oto.InvalidArgument, "name is empty"),
        ({"rename": {"bid": "ask"}}, oto.Conflict, '"ask" exists already'),
        ({"rename": {"bid": "a\x00"}}, oto.InvalidArgument, "control character"),
        ({"rename": {"bid": 5}}, oto.InvalidArgument, "is text, not int"),
        ({"widen": {"size": "int16"}}, oto.InvalidArgument, "cannot become int16"),
        ({"widen": {"size": "float64"}}, oto.InvalidArgument, "cannot become float64"),
        ({"widen": {"size": oto.required("int64")}}, oto.InvalidArgument, "stays as it is"),
        ({"metadata": "x"}, oto.InvalidArgument, "a dict of texts"),
        ({"metadata": {"x": 5}}, oto.InvalidArgument, "is text, not int"),
        ({"column_metadata": {"bit": {}}}, oto.InvalidArgument, 'did you mean "bid"'),
    ):
        with pytest.raises(error) as caught:
            quotes.alter(**change)
        assert words in str(caught.value)
    with pytest.raises(oto.InvalidArgument, match="as of commit 2"):
        db.at(2)["quotes"].alter(drop="size")
    assert quotes.alter() == before and quotes.alter(widen={"size": "int32"}) == before
    assert db.head == before and quotes.schema == db.at(1)["quotes"].schema


def test_drop_and_rename_of_datasets(db, quotes):
    quotes.append(rows(2))
    assert db.rename("quotes", "ticks", author="bob", message="better").message == "better"
    assert quotes.name == "ticks" and len(quotes) == 2 and "quotes" not in db
    assert db.rename("ticks", "ticks") == db.head
    db.create_table("other", QUOTES)
    with pytest.raises(oto.Conflict, match='"other" exists'):
        db.rename("ticks", "other")
    with pytest.raises(oto.NotFound, match='did you mean "ticks"'):
        db.rename("tick", "x")
    with pytest.raises(oto.InvalidArgument, match="name is empty"):
        db.rename("ticks", "")
    dropped = db.drop("ticks", message="gone")
    assert dropped == db.head and db.datasets() == ["other"]
    with pytest.raises(oto.NotFound):
        db.drop("ticks")
    with pytest.raises(oto.NotFound):
        quotes.read()
    again = db.create_table("ticks", {"time": "timestamp"})
    again.append({"time": "2026-01-05"})
    assert len(db["ticks"]) == 1 and len(db.at(3)["ticks"]) == 2 and len(db.at(2)["quotes"]) == 2
    db.drop("ticks")
    db.create_table("ticks", QUOTES)
    with pytest.raises(oto.NotFound, match="was dropped, and another has its name"):
        again.read()
    snapshot = db.at("HEAD")
    for verb in ("drop", "rename"):
        with pytest.raises(oto.InvalidArgument, match="a snapshot never changes"):
            getattr(snapshot, verb)("ticks", "x")


def test_metadata_of_tables_and_columns(db):
    t = db.create_table(
        "t",
        {"time": "timestamp", "x": "int8"},
        metadata={"source": "A", "owner": "ana"},
        column_metadata={"x": {"unit": "m"}},
    )
    assert t.schema["x"].metadata == {"unit": "m"}
    t.alter(metadata={"source": "B", "owner": None}, column_metadata={"x": {"unit": "km"}})
    assert t.schema.metadata == {"source": "B"} and t.schema["x"].metadata == {"unit": "km"}
    t.alter(column_metadata={"x": {"unit": None}})
    assert t.schema["x"].metadata == {}
    assert db.at(1)["t"].schema.metadata == {"source": "A", "owner": "ana"}
    assert db.at(2)["t"].schema["x"].metadata == {"unit": "km"}
    with pytest.raises(oto.InvalidArgument, match='no column "y"'):
        db.create_table("u", {"time": "timestamp"}, column_metadata={"y": {}})


def test_a_recorder_and_an_alter(db, quotes):
    with pytest.raises(oto.Conflict, match="append again"):
        with db.recorder() as r:
            r["quotes"].append(rows(1))
            quotes.alter(drop="size")
    assert len(quotes) == 0
    with db.recorder() as r:
        table = r["quotes"]
        quotes.alter(rename={"bid": "best_bid"})
        data = rows(1)
        del data["size"]
        data["best_bid"] = data.pop("bid")
        table.append(data)
    assert r.result.changes == {"quotes": (1, 0)}


def test_a_retried_alter_is_applied_once(db, quotes):
    c = quotes.alter(rename={"bid": "best"}, change_id="ab" * 16)
    assert quotes.alter(rename={"bid": "best"}, change_id="ab" * 16) == c == db.head
