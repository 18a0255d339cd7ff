"""Python's values as documents and back: beside a reference encoder, and Python's json module.

OTOLITH_DOCUMENTS is how many random ones (500, or 50,000 where OTOLITH_LONG=1); OTOLITH_SEED where
they begin.
"""

import collections
import datetime as dt
import enum
import json
import math
import os
import random
import struct
import types

import numpy as np
import pytest

import otolith as oto
from otolith import _core
from otolith.document_values import pack, unpack
from otolith.times import zone_of

SEED = int(os.environ.get("OTOLITH_SEED", "20260101"))
LONG = os.environ.get("OTOLITH_LONG") == "1"
DOCUMENTS = int(os.environ.get("OTOLITH_DOCUMENTS", "50000" if LONG else "500"))
UTC = dt.timezone.utc


def head(small, small_most, wide, number):
    """The shortest head of a length or count: one byte, else those of `wide` (size -> byte)."""
    if number <= small_most:
        return bytes([small | number])
    size = next(size for size in wide if number < 256**size)
    return bytes([wide[size]]) + number.to_bytes(size, "big")


def reference(value):
    """docs/format/document.md, written once more."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int) and value >= 0:
        return head(0, 0x7F, {1: 0xCC, 2: 0xCD, 4: 0xCE, 8: 0xCF}, value)
    if isinstance(value, int):
        if value >= -32:
            return struct.pack(">b", value)
        size, byte = next((s, b) for s, b in [(1, 0xD0), (2, 0xD1), (4, 0xD2), (8, 0xD3)]
                          if value >= -(256**s) // 2)  # fmt: skip
        return bytes([byte]) + value.to_bytes(size, "big", signed=True)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", math.nan if math.isnan(value) else value)
    if isinstance(value, str):
        text = value.encode()
        return head(0xA0, 31, {1: 0xD9, 2: 0xDA, 4: 0xDB}, len(text)) + text
    if isinstance(value, bytes):
        return head(0, -1, {1: 0xC4, 2: 0xC5, 4: 0xC6}, len(value)) + value
    if isinstance(value, list):
        count = head(0x90, 15, {2: 0xDC, 4: 0xDD}, len(value))
        return count + b"".join(map(reference, value))
    fields = (reference(part) for field in value.items() for part in field)
    return head(0x80, 15, {2: 0xDE, 4: 0xDF}, len(value)) + b"".join(fields)


TEXTS = ["", "a", "Ä", "é\n", "\U0001f600", '"\\/', "\x00\x1f\x7f", "x" * 40, "y" * 300]


def some(random_, depth, binary=False):
    kinds = ["none", "bool", "int", "large", "float", "text"] + ["bytes"] * binary
    kind = random_.choice(kinds + ["list", "dict"] * 2 * (depth > 0))
    if kind == "list":
        count = random_.choice([0, 1, 3, 15, 16, 20])
        return [some(random_, depth - 1, binary) for _ in range(count)]
    if kind == "dict":
        return some_dict(random_, depth - 1, binary)
    return {
        "none": lambda: None,
        "bool": lambda: random_.random() < 0.5,
        "int": lambda: random_.randrange(-70_000, 70_000) >> random_.randrange(16),
        "large": lambda: random_.choice([1, -1]) * random_.getrandbits(63) >> random_.randrange(60),
        "float": lambda: (
            struct.unpack("<d", random_.randbytes(8))[0]
            if random_.random() < 0.5
            else random_.choice([0.0, -0.0, 1.0, 0.1, 1e16, 1e22, 5e-324, -2.5])
        ),
        "text": lambda: "".join(random_.choices(TEXTS, k=random_.randrange(3))),
        "bytes": lambda: random_.randbytes(random_.choice([0, 1, 255, 256])),
    }[kind]()


def some_dict(random_, depth, binary=False):
    count = random_.choice([0, 1, 2, 12, 15, 16, 40])
    return {f"{i} {random_.choice(TEXTS)}": some(random_, depth, binary) for i in range(count)}


def same(a, b):
    """Equal with their types, the order of keys, the sign of zeros, and NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return a == b


def documents(binary):
    for number in range(DOCUMENTS):
        seed = f"{SEED}-{number}"
        yield seed, some_dict(random.Random(seed), 3, binary)


def test_any_document_is_packed_as_the_format_says_and_comes_back_the_same():
    for seed, document in documents(binary=True):
        body = pack(document)
        assert body == reference(document), seed
        assert same(unpack(body), document), seed
        assert _core.document_canonical(body) == body, seed


def finite(value):
    if isinstance(value, dict):
        return {key: finite(of) for key, of in value.items()}
    if isinstance(value, list):
        return [finite(of) for of in value]
    return 0.5 if isinstance(value, float) and not math.isfinite(value) else value


def test_json_is_read_and_written_as_by_the_json_module():
    for seed, document in documents(binary=False):
        words = _core.document_to_json(pack(document), not_finite="words")
        assert same(json.loads(words), document), seed
        document = finite(document)
        for style in ({}, {"indent": 1}, {"ensure_ascii": False}):
            text = json.dumps(document, **style)
            assert same(unpack(_core.document_from_json(text)), json.loads(text)), seed
        for indent in (0, 2):
            text = _core.document_to_json(pack(document), indent=indent)
            assert same(json.loads(text), document), seed
            want = json.dumps(document, ensure_ascii=False, indent=indent or None,
                              separators=None if indent else (",", ":"))  # fmt: skip
            assert text == want, seed


def test_texts_that_the_json_module_refuses_are_refused_and_the_others_are_the_same():
    """Valid texts with a byte or two changed: both take them, or neither does, but for what only
    one of them has: NaN, keys twice, integers beyond 64 bits, huge exponents.
    """
    taken = refused = 0
    for number in range(4 * DOCUMENTS):
        seed = f"{SEED}-changed-{number}"
        random_ = random.Random(seed)
        text = json.dumps(finite(some_dict(random_, 1)), ensure_ascii=random_.random() < 0.5)[:200]
        changed = list(text)
        for _ in range(random_.randrange(3)):
            place = random_.randrange(len(changed) + 1)
            changed[place : place + random_.randrange(2)] = random_.choice('{}[],:"\\u09.-eE tfn\n')
        text = "".join(changed)
        try:
            want = json.loads(text, object_pairs_hook=once, parse_constant=never, parse_int=whole)
        except (ValueError, RecursionError):
            want = None
        try:
            got = unpack(_core.document_from_json(text))
        except oto.InvalidArgument:
            got = None
        if isinstance(want, dict) and not lone(want) and not beyond(want):
            assert same(got, want), (seed, text)
            taken += 1
        elif not (isinstance(want, dict) and beyond(want)):
            assert got is None, (seed, text)
            refused += 1
    assert taken > DOCUMENTS / 4 and refused > DOCUMENTS / 4


def once(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def never(word):
    raise ValueError(word)


def whole(digits):
    if not -(2**63) <= int(digits) < 2**64:
        raise ValueError(digits)
    return int(digits)


def lone(value):
    """Whether a text has half of a surrogate pair."""
    texts = [of for of in values(value) if isinstance(of, str)]
    return any(0xD800 <= ord(c) < 0xE000 for c in "".join(texts))


def beyond(value):
    return any(isinstance(of, float) and math.isinf(of) for of in values(value))


def values(value):
    """All scalars and keys within."""
    if isinstance(value, dict):
        return [part for field in value.items() for of in field for part in values(of)]
    if isinstance(value, list):
        return [part for of in value for part in values(of)]
    return [value]


class Level(enum.IntEnum):
    high = 7


class Word(str):
    pass


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ((1, (2,)), [1, [2]]),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (Level.high, 7),
        (Word("w"), "w"),
        (collections.OrderedDict(a=1, b=2), {"a": 1, "b": 2}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (np.bool_(True), True),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.1), 0.10000000149011612),
        (np.float64(0.1), 0.1),
        (np.str_("é"), "é"),
        (np.bytes_(b"x"), b"x"),
        (np.datetime64("NaT"), None),
        (np.ma.masked, None),
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (dt.datetime(2026, 1, 5, 12, 0, 0, 1), dt.datetime(2026, 1, 5, 12, 0, 0, 1, UTC)),
        (
            dt.datetime(2026, 1, 5, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            dt.datetime(2026, 1, 5, 10, tzinfo=UTC),
        ),
        (dt.datetime(1677, 9, 22, tzinfo=UTC), dt.datetime(1677, 9, 22, tzinfo=UTC)),
        (np.datetime64("2026-01-05", "D"), dt.datetime(2026, 1, 5, tzinfo=UTC)),
        (np.datetime64("1969-12-31T23:59:59.999999999"), np.datetime64(-1, "ns")),
    ],
)
def test_values_of_other_types(value, want):
    got = unpack(pack({"x": value}))["x"]
    assert type(got) is type(want) and got == want
    assert same(unpack(pack([value]))[0], want) or isinstance(want, np.datetime64)


def test_an_ordered_dict_keeps_its_own_order():
    moved = collections.OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert list(unpack(pack(moved))) == ["b", "a"]


def test_naive_datetimes_are_of_the_zone():
    summer = dt.datetime(2026, 7, 1, 12)
    assert unpack(pack([summer], zone_of("Europe/Paris"))) == [
        dt.datetime(2026, 7, 1, 10, tzinfo=UTC)
    ]
    with pytest.raises(oto.InvalidArgument, match="does not exist"):
        pack({"at": dt.datetime(2026, 3, 29, 2, 30)}, zone_of("Europe/Paris"))


def test_pandas_missing_values_are_null():
    pandas = pytest.importorskip("pandas")
    assert unpack(pack([pandas.NA, pandas.NaT])) == [None, None]
    at = pandas.Timestamp("2026-01-05T12:00:00.000000001")
    assert unpack(pack([at])) == [np.datetime64("2026-01-05T12:00:00.000000001")]


@pytest.mark.parametrize(
    ("value", "path", "why"),
    [
        ({"a": {1: 2}}, "a", "a key is of type int; keys are str"),
        ({"a": {"\ud800": 2}}, "a", "a key holds half of a surrogate pair"),
        ({"a": ["x", "\udc00"]}, "a.1", "half of a surrogate pair"),
        ({"a.b": [2**64]}, r'\\"a.b\\".0', "more than 64 bits"),
        ({"a": -(2**63) - 1}, "a", "more than 64 bits"),
        ({"a": {1, 2}}, "a", "give a list"),
        ({"a": np.arange(3)}, "a", "tolist"),
        ({"a": dt.date(2026, 1, 5)}, "a", "isoformat"),
        ({"a": dt.datetime(2500, 1, 1)}, "a", "range"),
        ({"a": 1j}, "a", "nothing that a document holds"),
        ({"a": np.complex64(1)}, "a", "nothing that a document holds"),
        ({"a": object()}, "a", "nothing that a document holds"),
        ({"a": np.longdouble(1)}, "a", "nothing that a document holds"),
    ],
)
def test_what_no_document_holds_is_refused_with_its_path(value, path, why):
    with pytest.raises(oto.InvalidArgument, match=f'a document\'s "{path}": .*{why}'):
        pack(value)


def test_more_than_128_levels_are_refused_with_their_path_also_where_they_never_end():
    deep = 1
    for _ in range(128):
        deep = [deep]
    assert unpack(pack(deep)) == deep
    with pytest.raises(oto.LimitExceeded, match='"x.0.0.*128 levels'):
        pack({"x": deep})
    round_ = {}
    round_["again"] = round_
    with pytest.raises(oto.LimitExceeded, match="again.again"):
        pack(round_)


def test_a_document_beyond_16_mib_is_refused():
    assert len(pack({"x": "y" * (2**24 - 8)})) == 2**24
    with pytest.raises(oto.LimitExceeded, match="16777216"):
        pack({"x": "y" * (2**24 - 7)})


def test_what_a_conversion_raises_or_changes_is_no_danger():
    class Odd(collections.abc.Mapping):
        def __init__(self, then):
            self.then = then

        def __getitem__(self, key):
            return 1

        def __iter__(self):
            self.then()
            return iter(["k"])

        def __len__(self):
            return 1

    items = list(range(50))
    items.insert(3, Odd(items.clear))
    assert unpack(pack({"x": items})) == {"x": [0, 1, 2, {"k": 1}]}
    fields = {str(i): i for i in range(50)}
    fields["3"] = Odd(fields.clear)
    assert list(unpack(pack(fields)))[:4] == ["0", "1", "2", "3"]
    with pytest.raises(ZeroDivisionError):
        pack([Odd(lambda: 1 / 0)])


@pytest.mark.parametrize("cut", range(12))
def test_bytes_that_are_no_document_are_corrupt(cut):
    body = pack({"a": [1, "text", 2.5]})
    with pytest.raises(oto.Corrupt):
        unpack(body[:cut])
    with pytest.raises(oto.Corrupt):
        unpack(b"\x91" * 1000 + b"\xc0")
