"""`read(where=)` against plain Python: random conditions over every type and codec, nulls and all.

A row is read where the condition is true in three-valued logic; a leaf is evaluated value by value
with Python's own comparisons, which are exact between its numbers.
"""

import collections
import decimal
import math
import operator
import os
import random

import numpy as np
import pytest

import otolith as oto

D = decimal.Decimal
SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
DAY = 86_400 * 10**9
COMPARE = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
ODD = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308]
WIDE = 10**28 + 1  # of decimals: more than 64 bits
ONE = D("0.01")

TYPES = {
    "flag": "bool", "flag_rare": "bool", "i8": "int8", "i16": "int16", "i32": "int32",
    "i64": "int64", "steps": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32",
    "u64": "uint64", "f32": "float32", "f32_cents": "float32", "cents": "float64",
    "uniform": "float64", "normal": "float64", "odd": "float64", "few": "float64",
    "price": "decimal(9, 2)", "price_wide": "decimal(38, 6)", "when": "timestamp",
    "symbol": "string", "text": "string", "blob": "binary", "blob_few": "binary",
}  # fmt: skip


def values_of(name, count, part, rng):
    """Values of a column in one part of the table: each part leads to other codecs."""
    i = np.arange(count)
    ints = {
        "i8": lambda: rng.integers(-128, 128, count),
        "i16": lambda: rng.integers(-40, 40, count) * 100,
        "i32": lambda: [i * 3, np.full(count, -7), rng.integers(0, 900, count)][part % 3],
        "i64": lambda: [np.full(count, 2**62), i * 10**9 - 5, rng.integers(-9, 9, count)][part % 3],
        "steps": lambda: np.cumsum(rng.poisson(3, count)) - 1000,
        "u8": lambda: rng.integers(0, 256, count),
        "u16": lambda: rng.integers(60_000, 65_536, count),
        "u32": lambda: 2**32 - 1 - i % 977,
        "u64": lambda: rng.integers(0, 2**64, count, np.uint64),
        "when": lambda: [i * 10**9, rng.integers(0, DAY, count)][part % 2],
    }
    floats = {
        "cents": lambda: np.round(rng.integers(-9999, 99_999, count) / 100, 2),
        "uniform": lambda: rng.random(count) * 100,
        "normal": lambda: rng.normal(0, 1, count),
        "odd": lambda: rng.choice([*ODD, 1.5, -2.5], count),
        "few": lambda: [np.full(count, 0.1), rng.choice([0.1, -0.1, math.pi], count)][part % 2],
        "f32": lambda: rng.normal(0, 100, count).astype(np.float32),
        "f32_cents": lambda: np.round(rng.integers(0, 9999, count) / 100, 2).astype(np.float32),
    }
    if name in ints:
        return [int(value) for value in ints[name]()]
    if name in floats:
        out = [float(value) for value in floats[name]()]
        for at in rng.integers(0, count, count // 200).tolist():
            out[at] = float(rng.choice(ODD[:5]))  # values of both widths
        return out
    if name == "flag":
        return (rng.random(count) < 0.5).tolist()
    if name == "flag_rare":
        return [part % 2 == 0] * count if part < 3 else (rng.random(count) < 0.001).tolist()
    if name == "price":
        return [D(int(cents)) * ONE for cents in rng.integers(-500, 99_999, count) + 9000 * part]
    if name == "price_wide":
        sign = 1 if part % 2 == 0 else -1
        return [sign * (WIDE + D(int(n)) / 1000) for n in rng.integers(0, 10**6, count)]
    if name == "symbol":
        return rng.choice(["AAPL", "MSFT", "ä", "", "z" * 40], count).tolist()
    if name == "text":
        return [f"order {n:x} of customer {n % 97}" for n in rng.integers(0, 10**9, count)]
    if name == "blob":
        return [rng.bytes(n) for n in rng.integers(0, 20, count)]
    return rng.choice(np.array([b"", b"\xff\x00", b"\xff" * 20, b"a"], object), count).tolist()


def stored(values, name):
    """As they are given to append: what NumPy has, with a mask; else objects."""
    kind = TYPES[name]
    if kind.startswith(("decimal", "str", "bin")):
        return values
    dtype = "M8[ns]" if kind == "timestamp" else kind
    mask = [value is None for value in values]
    full = [0 if value is None else value for value in values]
    plain = np.array(full, np.int64 if kind == "timestamp" else dtype)  # never by way of a float
    return np.ma.MaskedArray(plain.astype(dtype), mask)


class Truth:
    """A table and its rows as lists of Python values, None for null, in the order of time."""

    def __init__(self, db, parts, seed, names=tuple(TYPES), **options):
        rng = np.random.default_rng(seed)
        self.random = random.Random(seed)
        self.table = db.create_table(
            "t", {"time": "timestamp", "place": "int64", **{n: TYPES[n] for n in names}}, **options
        )
        self.columns = collections.defaultdict(list)
        for part, (day, count) in enumerate(parts):
            rows = {}
            for name in names:
                values = values_of(name, count, part, rng)
                share = rng.choice([0, 0.02, 0.4, 1], p=[0.3, 0.4, 0.25, 0.05])
                null = rng.random(count) < share
                rows[name] = [None if gone else value for value, gone in zip(values, null)]
                self.columns[name] += rows[name]
            place = len(self.columns["place"]) + np.arange(count)
            time = day * DAY + place * 10**6
            self.columns["place"] += place.tolist()
            self.columns["time"] += time.tolist()
            given = {name: stored(values, name) for name, values in rows.items()}
            self.table.append({"time": time.astype("M8[ns]"), "place": place, **given})
        order = sorted(range(len(self.columns["time"])), key=self.columns["time"].__getitem__)
        for name, values in self.columns.items():
            self.columns[name] = [values[row] for row in order]
        self.names = list(names)
        self.given = {
            name: [value for value in values if value is not None]
            for name, values in self.columns.items()
        }

    def constant(self, name):
        """Mostly a value of the column or beside it."""
        random_ = self.random
        kind = "timestamp" if name == "time" else TYPES[name]
        at = random_.choice(self.given[name]) if self.given[name] else None
        if kind == "bool":
            return random_.random() < 0.5
        if kind == "timestamp":
            ns = (at or 0) + random_.choice([0, 0, 0, 1, -1, DAY, -DAY])
            return ns if random_.random() < 0.5 else np.datetime64(ns, "ns")
        if kind in ("string", "binary"):
            text = at if at is not None else ("" if kind == "string" else b"")
            more = "\0" if kind == "string" else b"\0"
            return random_.choice([text, text, text[:-1], text + more, text[:3]])
        if at is None or random_.random() < 0.1:
            odd = [0, -1, 255, 2**31, 2**63, 2**64 - 1, -(2**63), 0.5, 1e300, *ODD]
            return random_.choice(odd)
        if isinstance(at, D):
            near = [at, at, at + ONE, at - D("0.005"), float(at), int(at)]
            pick = random_.choice(near)
            return pick if not isinstance(pick, int) or abs(pick) < 2**63 else at
        if isinstance(at, float):
            near = [at, at, math.nextafter(at, math.inf), math.nextafter(at, -math.inf)]
            return random_.choice(
                [*near, int(at)] if math.isfinite(at) and abs(at) < 2**63 else near
            )
        pick = random_.choice([at, at, at, at + 1, at - 1, at + 0.5, float(at)])
        return pick if isinstance(pick, float) or -(2**63) <= pick < 2**64 else at

    def leaf(self):
        """A comparison, and what it is of every row: True, False or None."""
        random_ = self.random
        name = random_.choice(self.names + ["time"])
        column = oto.col(name)
        values = self.columns[name]
        form = random_.randrange(8)
        if form == 0:
            return column.is_null(), [value is None for value in values]
        if form == 1:
            return column.not_null(), [value is not None for value in values]
        if form == 2:
            some = [self.constant(name) for _ in range(random_.choice([0, 1, 2, 5, 40]))]
            plain = {in_python(one) for one in some if not is_nan(one)}
            return column.isin(some), each(values, lambda value: value in plain)
        if form == 3:
            pair = [self.constant(name), self.constant(name)]
            low, high = map(in_python, pair)
            if not is_nan(low) and not is_nan(high) and low > high and random_.random() < 0.8:
                pair, low, high = pair[::-1], high, low
            none = is_nan(low) or is_nan(high)
            truth = each(values, lambda value: not none and not is_nan(value)
                         and low <= value <= high)  # fmt: skip
            return column.between(*pair), truth
        compare = random_.choice(COMPARE)
        constant = self.constant(name)
        other = in_python(constant)
        if is_nan(other):
            return compare(column, constant), each(values, lambda _: compare is operator.ne)
        truth = each(values, lambda value: compare is operator.ne if is_nan(value)
                     else compare(value, other))  # fmt: skip
        return compare(column, constant), truth

    def condition(self, depth):
        """A condition, and what it is of every row by Kleene's rules."""
        kind = self.random.randrange(6) if depth else 5
        if kind == 5:
            return self.leaf()
        a, a_truth = self.condition(depth - 1)
        if kind == 4:
            return ~a, [None if truth is None else not truth for truth in a_truth]
        b, b_truth = self.condition(depth - 1)
        both = zip(a_truth, b_truth)
        if kind < 2:
            return a & b, [
                False if x is False or y is False else None if x is None or y is None else True
                for x, y in both
            ]
        return a | b, [
            True if x is True or y is True else None if x is None or y is None else False
            for x, y in both
        ]

    def check(self, depth, count):
        """Reads by that many conditions; returns how many rows there were in all."""
        rows = 0
        for number in range(count):
            where, truth = self.condition(depth)
            told = f"condition {number} of OTOLITH_SEED={SEED}: {where!r}"
            hit = [row for row, holds in enumerate(truth) if holds is True]
            shown = self.random.sample(self.names, min(3, len(self.names)))
            got = self.table.read(where=where, columns=["place", *shown])
            assert got["place"].tolist() == [self.columns["place"][row] for row in hit], told
            for name in shown:
                want = [self.columns[name][row] for row in hit]
                assert same(got[name], want), f"{name} of {told}"
            rows += len(hit)
        return rows


def in_python(constant):
    """What a constant is in Python's own comparisons."""
    return int(constant.astype(np.int64)) if isinstance(constant, np.datetime64) else constant


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def each(values, test):
    return [None if value is None else test(value) for value in values]


def same(array, want):
    """Value by value: NaN is itself, and zeros keep their signs."""
    if array.dtype.kind == "M":
        array = array.astype(np.int64)
    got = array.tolist()  # None where it is masked
    if array.dtype.kind != "f":
        return got == want
    return [repr(value) for value in got] == [repr(value) for value in want]


def codecs_of(path):
    found = oto.inspect(path)
    return {
        use.codec.split(" ")[0]
        for segment in found.segments
        for column in segment.columns
        for use in column.codecs
    }


LARGE = [(0, 70_000), (1, 9_000), (2, 9_000), (2, 800)]  # row groups, partitions, the tail
SMALL = [(0, 3_000), (0, 40), (1, 2_500), (3, 2_500), (1, 300)]  # the last comes late


def test_conditions_over_every_type_and_codec_select_what_python_selects(path):
    raw = {"i16": "raw", "f32": "raw", "blob_few": "raw"}
    with oto.open(path) as db:
        truth = Truth(db, LARGE, SEED, codec=raw)
        rows = truth.check(depth=3, count=20)
        assert rows > 100_000
        hot = codecs_of(path)
        groups = sum(segment.row_groups for segment in oto.inspect(path).segments)
    assert groups >= 4
    assert {"raw", "constant", "linear", "frame", "delta", "alp", "lattice", "alp_rd", "dictionary",
            "bitmap", "decimal", "text"} <= hot  # fmt: skip


@pytest.mark.parametrize("codec", ["hot", "small", "raw"])
@pytest.mark.parametrize("mmap", [True, False], ids=["mapped", "read"])
def test_deep_conditions_over_many_parts_select_what_python_selects(path, codec, mmap):
    with oto.open(path, mmap=mmap) as db:
        seed = SEED + sum(map(ord, codec)) + mmap
        assert Truth(db, SMALL, seed, codec=codec).check(depth=3, count=60) > 10_000


@pytest.mark.parametrize("name", TYPES)
def test_each_type_by_itself_decides_every_form(path, name):
    with oto.open(path) as db:
        truth = Truth(db, [(0, 900), (1, 900), (2, 60)], SEED + len(name), names=(name,))
        truth.check(depth=1, count=150)
