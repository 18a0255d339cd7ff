"""Random conditions as trees of tuples, and as Otolith takes them: text, and expressions of Python.

A dialect is a class with a method for each kind of node; those of peers are in condition_peers.py.
"""

import operator

import numpy as np

import otolith as oto

HOUR = 3600 * 10**9
UNITS = {"15m": HOUR // 4, "1h": HOUR, "1d": 24 * HOUR, "90s": 90 * 10**9}
COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
COMPUTE = {"+": operator.add, "-": operator.sub, "*": operator.mul}
TEXTS = ["", "a", "A", "ab", "AB", "abc", "Abc", "b", "ba", "é", "Éa", "a%b", "a_b", "12", "-7"]
FIELDS = ["year", "month", "day", "hour", "minute", "weekday"]
PATTERNS = ["^a", "b$", "^.?b", "[ab]+c", "a|é", "^$", "^[A-Z]"]
LIKE = ["a%", "%b", "_b", "%", "a_b", "ab", "%a%", "_", "é%"]


class Generator:
    """Trees over columns by their type. `wild` goes where peers differ: NaN, zero divisors, and
    integers beyond 64 bits.
    """

    def __init__(self, random_, columns, wild):
        self.random = random_
        self.columns = columns
        self.wild = wild

    def pick(self, *kinds):
        return self.random.choice([name for name, kind in self.columns.items() if kind in kinds])

    def condition(self, depth):
        form = self.random.randrange(7) if depth else 9
        if form < 2:
            return (
                "and",
                [self.condition(depth - 1) for _ in range(self.random.choice([2, 2, 3]))],
            )
        if form < 4:
            return ("or", [self.condition(depth - 1) for _ in range(self.random.choice([2, 2, 3]))])
        if form == 4:
            return ("not", self.condition(depth - 1))
        if form == 5 and self.random.random() < 0.3:
            return ("is null", self.condition(depth - 1), self.random.random() < 0.5)
        return self.leaf()

    def leaf(self):
        form = self.random.randrange(12)
        if form == 0:
            return ("column", self.pick("bool"))
        if form == 1:
            value = self.random.choice([self.number(2), self.text(1), self.time()])
            return ("is null", value, self.random.random() < 0.5)
        if form == 2:
            some = [self.constant() for _ in range(self.random.choice([1, 2, 9]))]
            return ("in", self.number(1), some)
        if form == 3:
            return ("in", self.text(1), self.random.choices(TEXTS, k=3))
        if form == 4:
            return ("between", self.number(1), self.number(0), self.number(0))
        if form == 5:
            return self.about_text()
        if form == 6:
            return ("compare", self.sign(), self.text(1), self.text(1))
        if form == 7:
            return self.about_time()
        return ("compare", self.sign(), self.number(2), self.number(2))

    def sign(self):
        return self.random.choice(list(COMPARE))

    def about_text(self):
        text = self.text(1)
        form = self.random.randrange(6)
        if form == 0:
            return ("like", text, self.random.choice(LIKE))
        if form == 1:
            return ("matches", text, self.random.choice(PATTERNS))
        what = self.random.choice(["contains", "starts_with", "ends_with"])
        return (what, text, self.random.choice(TEXTS[1:]))

    def about_time(self):
        form = self.random.randrange(4)
        if form == 0:
            return ("compare", self.sign(), self.time(), self.time())
        if form == 1:
            return (
                "compare",
                self.sign(),
                self.time(),
                ("time", self.random.randrange(400) * HOUR),
            )
        if form == 2:
            field = self.random.choice(FIELDS)
            return (
                "compare",
                self.sign(),
                (field, self.time()),
                ("number", self.random.randrange(13)),
            )
        apart = ("apart", self.pick("time"), self.pick("time"))
        return ("compare", self.sign(), apart, ("number", self.random.randrange(-9, 9) * HOUR))

    def time(self):
        column = ("column", self.pick("time"))
        if self.random.random() < 0.4:
            return ("floor", column, self.random.choice(list(UNITS)))
        return column

    def text(self, depth):
        form = self.random.randrange(5)
        if form == 0:
            return ("text", self.random.choice(TEXTS))
        column = ("column", self.pick("text"))
        if depth and form == 1:
            return (self.random.choice(["lower", "upper"]), column)
        if depth and form == 2:
            return ("to text", ("column", self.pick("int")))
        return column

    def constant(self):
        if self.random.random() < 0.3:
            return self.random.choice([0.5, -1.5, 2.0, 100.25])
        return self.random.randrange(-12, 12)

    def number(self, depth):
        form = self.random.randrange(10 if depth else 4)
        if form == 0:
            return ("number", self.constant())
        if form < 4:
            kinds = ["int", "int", "float", "huge", "nan"] if self.wild else ["int", "int", "float"]
            return ("column", self.pick(self.random.choice(kinds)))
        if form == 4:
            return ("negate", self.number(depth - 1))
        if form == 5:
            return self.random.choice([("abs", self.number(depth - 1)), ("len", self.text(1)),
                                       ("to int", ("column", self.pick("text")))])  # fmt: skip
        if form == 6:
            return ("/", self.number(depth - 1), self.divisor(depth))
        if form == 7:
            sign = self.random.choice(["//", "%"])
            if self.wild:
                return (sign, self.number(depth - 1), self.divisor(depth))
            whole = ("column", self.pick("int"))
            return (
                sign,
                whole,
                self.random.choice([self.divisor(0), ("column", self.pick("int"))]),
            )
        if form == 8 and not self.wild:
            return ("truncate", ("column", self.pick("float")))
        return (self.random.choice(list(COMPUTE)), self.number(depth - 1), self.number(depth - 1))

    def divisor(self, depth):
        if self.wild and self.random.random() < 0.5:
            return self.number(max(depth - 1, 0))
        return ("number", self.random.choice([-7, -3, -1, 1, 2, 5]))


class Dialect:
    """Calls the method of a node's kind."""

    def __call__(self, node):
        kind, *parts = node
        if kind in COMPUTE:
            return self.compute(kind, *parts)
        names = {"/": "divide", "//": "floor_divide", "%": "modulo", "and": "all_of",
                 "or": "any_of", "not": "inverse", "in": "isin"}  # fmt: skip
        return getattr(self, names.get(kind, kind.replace(" ", "_")))(*parts)


class Text(Dialect):
    """Otolith's own words; parentheses everywhere, for precedence is tested elsewhere."""

    def __init__(self, random_):
        self.random = random_

    def either(self, *forms):
        return self.random.choice(forms)

    def column(self, name):
        return self.either(name, f'"{name}"')

    def number(self, value):
        return repr(value)

    def text(self, value):
        return "'" + value.replace("'", "''") + "'"

    def time(self, ns):
        return f"'{np.datetime64(ns, 'ns')}'"

    def compute(self, sign, a, b):
        return f"({self(a)} {sign} {self(b)})"

    def divide(self, a, b):
        return f"({self(a)} / {self(b)})"

    def floor_divide(self, a, b):
        return f"({self(a)} // {self(b)})"

    def modulo(self, a, b):
        return f"({self(a)} % {self(b)})"

    def negate(self, a):
        return f"-({self(a)})"

    def abs(self, a):
        return f"abs({self(a)})"

    def len(self, a):
        return self.either(f"len({self(a)})", f"LENGTH({self(a)})", f"({self(a)}).str.len()")

    def lower(self, a):
        return self.either(f"lower({self(a)})", f"({self(a)}).str.lower()")

    def upper(self, a):
        return self.either(f"upper({self(a)})", f"({self(a)}).str.upper()")

    def to_text(self, a):
        return f"cast({self(a)} as string)"

    def to_int(self, a):
        return f"try_cast({self(a)} as int64)"

    def truncate(self, a):
        return f"cast({self(a)} as int64)"

    def compare(self, sign, a, b):
        other = {"=": "==", "!=": "<>"}.get(sign, sign)
        return f"({self(a)} {self.either(sign, other)} {self(b)})"

    def isin(self, a, values):
        shown = (self.text(v) if isinstance(v, str) else repr(v) for v in values)
        return f"({self(a)} in ({', '.join(shown)}))"

    def between(self, a, low, high):
        return f"({self(a)} between {self(low)} and {self(high)})"

    def is_null(self, a, inverse):
        return f"(({self(a)}) is {'not ' if inverse else ''}null)"

    def like(self, a, pattern):
        return f"({self(a)} like {self.text(pattern)})"

    def matches(self, a, pattern):
        return f"matches({self(a)}, {self.text(pattern)})"

    def contains(self, a, text):
        return f"contains({self(a)}, {self.text(text)})"

    def starts_with(self, a, text):
        return f"starts_with({self(a)}, {self.text(text)})"

    def ends_with(self, a, text):
        return f"ends_with({self(a)}, {self.text(text)})"

    def field(self, name, a):
        return self.either(f"{name}({self(a)})", f"({self(a)}).dt.{name}")

    def floor(self, a, unit):
        return f"floor({self(a)}, '{unit}')"

    def apart(self, a, b):
        return f"({a} - {b})"

    def all_of(self, parts):
        return "(" + f" {self.either('and', 'AND')} ".join(map(self, parts)) + ")"

    def any_of(self, parts):
        return "(" + " or ".join(map(self, parts)) + ")"

    def inverse(self, a):
        return f"(not {self(a)})"


class Python(Dialect):
    """Otolith's expressions."""

    def column(self, name):
        return oto.col(name)

    def number(self, value):
        return value

    def text(self, value):
        return value

    def time(self, ns):
        return np.datetime64(ns, "ns")

    def value(self, node):
        """An expression, also of a constant."""
        made = self(node)
        if isinstance(made, oto.Expression):
            return made
        return oto.condition(f"{Text(None)(node)} = 0")._of[0]

    def compute(self, sign, a, b):
        return COMPUTE[sign](self.value(a), self(b))

    def divide(self, a, b):
        return self.value(a) / self(b)

    def floor_divide(self, a, b):
        return self(a) // self.value(b)

    def modulo(self, a, b):
        return self(a) % self.value(b)

    def negate(self, a):
        return -self.value(a)

    def abs(self, a):
        return abs(self.value(a))

    def len(self, a):
        return self.value(a).str.len()

    def lower(self, a):
        return self.value(a).str.lower()

    def upper(self, a):
        return self.value(a).str.upper()

    def to_text(self, a):
        return self.value(a).cast(str)

    def to_int(self, a):
        return self.value(a).cast(oto.int64, strict=False)

    def truncate(self, a):
        return self.value(a).cast("int64")

    def compare(self, sign, a, b):
        return COMPARE[sign](self.value(a), self(b))

    def isin(self, a, values):
        return self.value(a).isin(values)

    def between(self, a, low, high):
        return self.value(a).between(self(low), self(high))

    def is_null(self, a, inverse):
        return self.value(a).not_null() if inverse else self.value(a).is_null()

    def like(self, a, pattern):
        return self.value(a).str.like(pattern)

    def matches(self, a, pattern):
        return self.value(a).str.matches(pattern)

    def contains(self, a, text):
        return self.value(a).str.contains(text)

    def starts_with(self, a, text):
        return self.value(a).str.starts_with(text)

    def ends_with(self, a, text):
        return self.value(a).str.ends_with(text)

    def field(self, name, a):
        return getattr(self.value(a).dt, name)()

    def floor(self, a, unit):
        return self.value(a).dt.floor(unit)

    def apart(self, a, b):
        return oto.col(a) - oto.col(b)

    def all_of(self, parts):
        out = self(parts[0])
        for part in parts[1:]:
            out = out & self(part)
        return out

    def any_of(self, parts):
        out = self(parts[0])
        for part in parts[1:]:
            out = out | self(part)
        return out

    def inverse(self, a):
        return ~self(a)


def with_fields(*dialects):
    """Gives dialects a method for each field of a time, by their method `field`."""
    for name in FIELDS:
        for dialect in dialects:
            setattr(dialect, name, lambda self, a, name=name: self.field(name, a))


with_fields(Text, Python)
