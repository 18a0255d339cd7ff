"""inspect() and the `otolith` script: what is found, refused, and where damage lies."""

import decimal
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import otolith as oto
from otolith import command_line

ROWS = 200_000  # more than a commit keeps in the log


@pytest.fixture
def kept(path):
    with oto.open(path) as db:
        table = db.create_table("t", {"time": oto.timestamp, "n": oto.int64, "x": oto.float64},
                                codec={"x": "raw"})  # fmt: skip
        table.append({
            "time": np.arange(ROWS).astype("M8[s]").astype("M8[ns]"),
            "n": np.arange(ROWS),
            "x": np.arange(ROWS) / 7,
        })  # fmt: skip
    return path


def segment_file(kept):
    return kept / oto.inspect(kept).segments[0].file


def flip(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    os.chmod(file, 0o644)
    file.write_bytes(data)


def test_a_database_is_explained(kept):
    found = oto.inspect(kept)
    assert found.kind == "database" and not found.verified and found.problems == []
    assert found.status["datasets"]["t"]["rows"] == ROWS
    (segment,) = found.segments
    assert (segment.dataset, segment.rows) == ("t", ROWS)
    assert segment.bytes == segment_file(kept).stat().st_size
    columns = {column.name: column for column in segment.columns}
    assert columns["x"].zero_copy == "numpy" and columns["x"].bits_per_value == 64
    assert columns["n"].zero_copy == "none" and columns["n"].bits_per_value < 1
    assert sum(use.rows for use in columns["n"].codecs) == ROWS
    assert "zero-copy" in repr(found) and str(kept) in repr(found)
    assert json.loads(json.dumps(found.to_dict()))["segments"][0]["rows"] == ROWS


def test_a_segment_is_explained_alone_and_by_name(kept):
    file = segment_file(kept)
    alone = oto.inspect(str(file), verify=True)
    assert alone.kind == "segment" and alone.verified and alone.segments[0].verified
    assert [column.name for column in alone.segments[0].columns] == [None] * 3
    named = oto.inspect(kept, file=file.relative_to(kept))
    assert named.segments[0].id == alone.segments[0].id
    with pytest.raises(oto.NotFound, match="has no file"):
        oto.inspect(kept, "elsewhere.seg")


def test_damage_is_told_with_its_place(kept):
    file = segment_file(kept)
    flip(file, file.stat().st_size // 2)
    assert oto.inspect(kept).problems == []
    found = oto.inspect(kept, verify=True)
    (problem,) = found.problems
    assert problem.where["file"] == str(file.relative_to(kept))
    assert problem.where["offset"] > 0 and problem.where["commits"]
    assert not found.segments[0].verified


def test_a_file_is_named_as_the_shell_has_it(kept):
    assert len(oto.inspect(kept, file=segment_file(kept)).segments) == 1


def test_every_file_is_explained(kept):
    found = oto.inspect(kept, verify=True)
    files = {file.kind: file for file in found.files}
    assert set(files) == {"otolith", "log", "reserve", "checkpoint", "index", "lock"}
    on_disk = {
        str(file.relative_to(kept)): file.stat().st_size
        for file in kept.rglob("*") if file.is_file()
    }  # fmt: skip
    told = {file.file: file.bytes for file in [*found.files, *found.segments]}
    assert told == on_disk
    log = files["log"].details
    assert (log["commit_first"], log["commit_last"], log["torn_at"]) == (1, 2, None)
    assert log["record_durable"] == log["record_last"]
    assert {use["kind"]: use["frames"] for use in log["frames"]}["commit"] == 2
    assert files["checkpoint"].details["commit"] == files["index"].details["commit_last"] == 2
    for file in found.files:
        (one,) = oto.inspect(kept, file=kept / file.file).files
        assert one.kind == file.kind and one.details is not None or file.kind == "reserve"
        assert oto.inspect(kept / file.file).kind == file.kind


def test_damage_of_a_log_is_told_and_what_is_torn_is_none(kept):
    log = kept / "log" / "00000001.log"
    end = 512 + oto.inspect(log).files[0].details["frame_bytes"]
    data = bytearray(log.read_bytes())
    data[end : end + 9] = b"\x01" * 9
    log.write_bytes(data)
    (torn,) = oto.inspect(kept, log).files
    assert (torn.details["torn_at"], torn.details["torn_bytes"]) == (end, 9)
    flip(log, 600)
    found = oto.inspect(log)
    assert [problem.where["offset"] for problem in found.problems] == [512]
    assert found.files[0].details["commit_first"] == 2 and not found.files[0].verified
    flip(log, 0)
    with pytest.raises(oto.Corrupt, match="log file"):
        oto.inspect(log)


def test_names_are_escaped_in_text(path):
    with oto.open(path) as db:
        db.create_table('a"b\\c', {"time": "timestamp"})
    assert '"a\\"b\\\\c": 0 rows' in repr(oto.inspect(path))


def test_inspect_says_zero_copy_where_reads_are(path):
    with oto.open(path) as db:
        types = {"time": oto.timestamp, "n": oto.int32, "b": "bool", "d": oto.decimal(30, 2),
                 "s": oto.string, "f": oto.float32}  # fmt: skip
        table = db.create_table("t", types, codec="raw")
        decimals = np.array([decimal.Decimal(i) for i in range(ROWS // 4)], object)
        table.append({"time": np.arange(ROWS // 4), "n": np.arange(ROWS // 4), "d": decimals,
                      "b": np.arange(ROWS // 4) % 2 == 0, "s": ["x"] * (ROWS // 4),
                      "f": np.arange(ROWS // 4)})  # fmt: skip
        told = table.read().zero_copy
    for column in oto.inspect(path).segments[0].columns:
        assert (column.zero_copy == "numpy") == told[column.name], column.name


def test_a_stray_file_does_not_hide_the_segments(kept):
    (kept / "OTOLITH").write_bytes(b"junk")
    (kept / "segments" / "stray").touch()
    found = oto.inspect(kept)
    assert len(found.segments) == 1 and len(found.problems) == 1
    assert {file.file: file.kind for file in found.files}["segments/stray"] == "unknown"
    assert "damage: " in repr(found)


def test_what_cannot_be_written_is_an_error_and_no_damage(kept, monkeypatch, capsys):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert command_line.main(["inspect", str(kept)]) == 3
    assert "No space left" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdout", None)
    assert command_line.main(["inspect", str(kept)]) == 3


def test_a_pipe_is_no_segment(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(oto.InvalidArgument, match="is a pipe"):
        oto.inspect(tmp_path / "pipe")


def test_what_is_not_ours_is_refused(kept, tmp_path):
    with pytest.raises(oto.NotFound):
        oto.inspect(tmp_path / "missing")
    text = tmp_path / "notes.txt"
    text.write_text("no segment " * 100)
    with pytest.raises(oto.InvalidArgument, match="no file of Otolith"):
        oto.inspect(text)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(oto.Error, match="no database"):
        oto.inspect(empty)
    with pytest.raises(oto.InvalidArgument, match="verify"):
        oto.inspect(kept, verify="yes")
    with pytest.raises(TypeError):
        oto.inspect(7.5)


def test_the_script_runs_in_process(kept, capsys):
    assert command_line.main(["inspect", str(kept)]) == 0
    assert capsys.readouterr().out.rstrip("\n") == repr(oto.inspect(kept))
    assert command_line.main(["inspect", str(kept), "--json", "--verify"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    assert command_line.main(["inspect"]) == 2
    complaint = capsys.readouterr().err
    assert "DB" in complaint and complaint.startswith("otolith inspect: ")
    assert "`otolith inspect --help`" in complaint
    assert command_line.main(["inspect", "no/such.oto", "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "not_found" and "not_found" in told.err


def test_the_installed_script_answers():
    script = pathlib.Path(sys.executable).parent / "otolith"
    if not script.exists():
        pytest.skip("the package is not installed with its scripts here")
    ran = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert oto.__version__ in ran.stdout
