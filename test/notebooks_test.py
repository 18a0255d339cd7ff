"""The notebooks of examples/ run from top to bottom, and what they show can be shown."""

import ast
import json
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def run(code, names):
    """Runs a cell; the value of its last line, where that is an expression."""
    cell = ast.parse(code)
    last = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, "<cell>", "exec"), names)
    if last is not None:
        return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    book = json.loads(path.read_text("utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert "data are generated" in "".join(book["cells"][0]["source"])
    names, shown = {"__name__": "__main__"}, 0
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [] and cell["execution_count"] is None
        value = run("".join(cell["source"]), names)
        if value is not None:
            in_html = getattr(value, "_repr_html_", lambda: "")()
            assert len(repr(value)) + len(in_html or "") < 50_000
            shown += 1
    assert shown >= 5


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["market", "sensors", "ticks"]
