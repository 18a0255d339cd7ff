"""What chronostore promised: a binary store of local series, by the day, read as arrays."""

import numpy as np
import pandas as pd

import otolith as oto

DAY = 86_400
SCHEMA = {"time": oto.timestamp, "bid": oto.float64, "size": oto.int32}


def ticks(day, rows=DAY):
    """One tick a second of the day."""
    first = np.datetime64(day, "ns")
    number = np.arange(rows)
    return {"time": first + number * np.timedelta64(1, "s"), "bid": number / 4, "size": number}


def test_a_declared_schema_takes_days_and_gives_arrays_back(tmp_path):
    with oto.open(tmp_path / "ticks.oto", author="ana") as db:
        table = db.create_table("ticks", SCHEMA, partition="day")
        for day in ("2026-01-05", "2026-01-06", "2026-01-07"):
            table.append(ticks(day))
    with oto.open(tmp_path / "ticks.oto", read_only=True) as db:
        assert db["ticks"].schema.partition == "day" and len(db["ticks"]) == 3 * DAY
        data = db["ticks"].read("2026-01-06", "2026-01-07")
        assert data["time"].dtype == np.dtype("M8[ns]") and data["size"].dtype == np.int32
        np.testing.assert_array_equal(data["bid"], ticks("2026-01-06")["bid"])


def test_a_day_is_read_without_a_copy(tmp_path):
    with oto.open(tmp_path / "raw.oto") as db:
        table = db.create_table("ticks", SCHEMA, codec="raw", partition="day")
        table.append(ticks("2026-01-05"))
        data = table.read("2026-01-05", "2026-01-06")
        assert data.zero_copy == {"time": True, "bid": True, "size": True}
        assert not data["bid"].flags.writeable and not data["bid"].flags.owndata


def test_a_frame_goes_in_and_comes_out(tmp_path):
    frame = pd.DataFrame(ticks("2026-01-05", 100)).set_index("time")
    with oto.open(tmp_path / "frames.oto") as db:
        table = db.create_table("ticks", SCHEMA)
        table.append(frame)
        back = table.read().to_pandas().set_index("time")
        assert back["bid"].tolist() == frame["bid"].tolist()
        assert back.index.tz_localize(None).equals(frame.index.tz_localize(None))


def test_days_may_come_late_and_rows_out_of_order(tmp_path):
    with oto.open(tmp_path / "late.oto") as db:
        table = db.create_table("ticks", SCHEMA)
        table.append(ticks("2026-01-06", 10))
        table.append({name: values[::-1] for name, values in ticks("2026-01-05", 10).items()})
        times = table.read()["time"]
        assert len(times) == 20 and (np.diff(times) > np.timedelta64(0)).all()
