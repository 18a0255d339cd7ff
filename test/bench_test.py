"""What bench/ makes of figures: who is a peer, what a goal comes to; and answers are compared."""

import pathlib
import sys

import pytest

BENCH = pathlib.Path(__file__).parent.parent / "bench"
sys.path += [str(BENCH), str(BENCH / "peers")]
import goals
import page
import questions
import turns


def figure(median, unit="s", **more):
    return {"median": median, "p99": 2 * median, "unit": unit, "samples": 1, "note": "", **more}


def verdict(goal, **by_side):
    return page.verdict(goal, {name.replace("_", " "): of for name, of in by_side.items()})


def test_a_goal_is_judged_beside_the_best_peer_whichever_it_is():
    goal = goals.Goal("r", "otolith", goals.BEST, 0.5, why="slow")
    sides = {"otolith": figure(0.4), "DuckDB": figure(1.0), "probe": figure(0.1)}
    assert verdict(goal, **sides) == "met: 0.40x of 0.5x allowed (DuckDB)"
    sides["Lance"] = figure(0.5)
    assert verdict(goal, **sides) == "**missed**: 0.80x of 0.5x allowed (Lance); slow"
    sides["otolith"] = figure(1e-5)
    assert verdict(goal, **sides) == "met: <0.01x of 0.5x allowed (Lance)"


def test_own_sides_limits_and_peers_that_do_less_are_no_peers():
    named = ["otolith, C++", "probe from Python", "plain columns", "Lance, not synced", "Lance"]
    assert [side for side in named if goals.is_peer(side)] == ["Lance"]


def test_peers_are_those_of_the_same_unit_with_the_same_figure():
    goal = goals.Goal("r", "otolith", goals.BEST, of="p99")
    sides = {"otolith": figure(1.0), "8_committers": figure(0.1, "commits")}
    del (no_spread := figure(0.1))["p99"]
    sides["DuckDB"] = no_spread
    assert verdict(goal, **sides) == "**missed**: its limit was not measured in this run"
    assert verdict(goal, **sides, SQLite=figure(2.0)) == "met: 0.50x of 1x allowed (SQLite)"


def test_one_of_two_limits_suffices():
    goal = goals.Goal("r", "otolith", goals.BEST, 0.5, otherwise=("probe", 1.25))
    sides = {"otolith": figure(1.0), "DuckDB": figure(1.0), "probe": figure(1.0)}
    assert verdict(goal, **sides) == "met: 1.00x of 0.5x allowed (DuckDB) or 1.00x of 1.25x allowed"
    assert goal.name() == "otolith, beside the best peer or probe"


def test_a_goal_may_be_a_number_or_a_least_share():
    number = goals.Goal("r", "otolith", 1e-3)
    assert verdict(number, otolith=figure(2e-3)) == "**missed**: 2 ms, at most 1 ms"
    share = goals.Goal("r", "otolith", "loop", 0.9, at_least=True)
    assert verdict(share, otolith=figure(1.0), loop=figure(1.0)) == "met: 1.00x of 0.9x wanted"
    assert verdict(number, otolith={"absent": "not built"}) == "not measured in this run: not built"


def test_every_goal_has_a_title():
    assert {goal.row.split("/")[0] for goal in goals.GOALS} <= set(goals.TITLES)


def test_sides_must_answer_alike():
    one = {"value": {"sum": 1.0, "count": 2}}
    turns._all_equal({"a": one, "b": {"value": {"sum": 1.0 + 1e-12, "count": 2}}}, "sum")
    with pytest.raises(SystemExit, match="sum: b answers"):
        turns._all_equal({"a": one, "b": {"value": {"sum": 1.1, "count": 2}}}, "sum")


def test_a_side_that_measures_itself_runs_once_a_turn(capsys):
    calls = []

    def ask():
        calls.append(1)
        return [0.25, 0.5], {"sum": 1}

    sides = [turns.Side("itself", ask, itself=True), turns.Side("here", lambda: {"sum": 1})]
    medians = turns.Figures("W1").turns("8", "8 sum", sides, dict, rounds=3, repeat=4)
    assert len(calls) == 3 and medians["itself"] == 0.375
    assert '"samples": 6' in capsys.readouterr().out


def test_rows_of_cpp_are_columns_of_the_types_that_other_sides_give():
    told = questions.arrays({"time": [1, 2], "bid": [0.5, 1.5]})
    assert told["time"].dtype == "M8[ns]" and told["bid"].tolist() == [0.5, 1.5]


def test_a_column_is_repeated_whole_until_it_has_the_rows():
    columns = pytest.importorskip("columns_bench")
    import pyarrow as pa

    table = columns.repeated(pa.array([1, None, 3]), 7)
    assert table.column("value").to_pylist() == [1, None, 3] * 3
    assert table.column("time").to_pylist()[0] < table.column("time").to_pylist()[-1]
    kinds = [pa.int8(), pa.float64(), pa.timestamp("ns"), pa.string(), pa.bool_()]
    assert [columns.is_numeric(kind) for kind in kinds] == [True, True, False, False, False]


def test_a_peer_that_waits_for_no_disk_is_no_limit_and_its_new_files_are_found_once(tmp_path):
    versions = pytest.importorskip("versions_bench")
    assert not goals.is_peer(versions.Lance.name + versions.NOT_SYNCED)
    store = versions.Files(tmp_path, None)
    (store.path / "log").mkdir(parents=True)
    for name in ("part", "log/1.json", "log/1.checkpoint"):
        (store.path / name).write_text("")
    assert sorted(store.made()) == [str(store.path / "log/1.json"), str(store.path / "part")]
    (store.path / "log/2.json").write_text("")
    assert store.made() == [str(store.path / "log/2.json")]


def test_tables_measured_again_take_their_places_and_say_when():
    old = "# Benchmarks\n\nOne run.\n\n## a: first\n\n| 1 |\n\n## b\n\n| 2 |\n"
    new = "# Benchmarks\n\nAnother.\n\n## b\n\n| 3 |\n\n## c\n\n| 4 |\n"
    merged = page.merged(old, new)
    assert merged.startswith(
        "# Benchmarks\n\nOne run.\n\n## a: first\n\n| 1 |\n\n## b\n\nMeasured again on "
    )
    assert [part.strip().split("\n")[-1] for part in merged.split("\n## ")] == [
        "One run.", "| 1 |", "| 3 |", "| 4 |",
    ]  # fmt: skip
    assert page.merged(merged, new) == merged
