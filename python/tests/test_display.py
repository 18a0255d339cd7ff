"""What prints, as text and in notebooks: useful, bounded, safe whatever names and values say."""

import html.parser

import pytest

import otolith as oto

NASTY = "<b>&\"'</b>"


class Page(html.parser.HTMLParser):
    """The text of some HTML, by cell, and its tags; every one of them has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


@pytest.fixture
def table(db):
    t = db.create_table(
        "quotes",
        {"time": "timestamp", "symbol": "string", NASTY: "float64"},
        keys=["symbol"],
        column_metadata={NASTY: {"unit": "<i>"}},
    )
    t.append({"time": range(99), "symbol": [NASTY] * 99, NASTY: [0.5] * 99}, message=NASTY)
    return t


def test_everything_shows_itself_in_notebooks(db, table):
    things = [db, db.at("HEAD"), table, table.schema, table.read(), db.head, db.log()]
    for thing in things:
        page = Page(thing._repr_html_())
        assert not {"b", "i"} & set(page.tags), thing
        assert len(thing._repr_html_()) < 20_000
    assert ["quotes", "99"] == Page(db._repr_html_()).cells[-5:-3]
    assert "symbol" in Page(db.at("HEAD")._repr_html_()).cells
    assert "Table quotes: 99 rows" in Page(table._repr_html_()).cells[0]
    assert {NASTY, "float64"} <= set(Page(table.schema._repr_html_()).cells)
    assert repr(NASTY) in Page(db.log()._repr_html_()).cells
    assert "quotes +99" in Page(db.head._repr_html_()).cells


def test_many_of_anything_are_shown_in_part(db):
    columns = {"time": "timestamp", **{f"c{i}": "int8" for i in range(500)}}
    wide = db.create_table("wide", columns)
    with db.recorder() as r:
        for i in range(3):
            r["wide"].append({"time": i})
    for i in range(60):
        db.create_table(f"t{i}", {"time": "timestamp"})
    for thing, more in [
        (wide.schema, "… 461 more columns"), (wide, "more columns"),
        (db.log(), "… 22 more commits"),
    ]:  # fmt: skip
        assert more in repr(thing) and len(repr(thing)) < 6_000
        assert "…" in thing._repr_html_() and len(thing._repr_html_()) < 20_000
    for thing in (db, db.at("HEAD"), wide.read()):
        assert len(repr(thing)) < 6_000 and len(thing._repr_html_()) < 20_000
    with db.recorder() as r:
        for i in range(60):
            r[f"t{i}"].append({"time": 1})
    assert "… 52 more" in repr(db.head)


def test_what_is_closed_or_gone_still_shows_itself(path):
    db = oto.open(path)
    t = db.create_table("t", {"time": "timestamp"})
    db.drop("t")
    assert "Table (" in t._repr_html_()
    db.close()
    assert "closed" in repr(db) and "closed" in db._repr_html_() and "closed" in t._repr_html_()


def test_a_bar_ends_its_line_once(table, capsys):
    for _ in range(20):
        table.read(where=oto.col("symbol") == NASTY, progress=True)
    assert capsys.readouterr().err.count("\n") == 20
