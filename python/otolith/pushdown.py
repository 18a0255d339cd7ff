"""What of another engine's predicate a read can answer, for Polars and DuckDB.

A predicate becomes a `Pushed`: a range of time and a condition that every row passes for which it
is true. Where it is `exact`, no other row passes, and the engine need not look again; what cannot
be said in conditions is left to the engine, so that no answer is ever wrong.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from collections.abc import Callable
from typing import Any, Dict, List, Optional, Sequence

from otolith.errors import InvalidArgument, LimitExceeded
from otolith.expression import Expression, col
from otolith.schema import Schema
from otolith.times import MAX_NS
from otolith.where import core_condition

_OPERATORS: Dict[str, Callable[[Any, Any], Expression]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
VALUES_MAX = 10_000  # of a list that is pushed down: longer ones engines look up in a hash table
MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclasses.dataclass(frozen=True)
class Pushed:
    """Rows of [start, stop), in ns, for which `where` is true; `exact` as the module says. Where it
    is `negatable`, it is also false and null of the rows that the predicate is, so that `not` may
    be said of it.
    """

    where: Optional[Expression] = None
    start: Optional[int] = None
    stop: Optional[int] = None
    exact: bool = True
    negatable: bool = True


class Predicates:
    """Makes what can be pushed down to a table of this schema; None is what cannot be."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def compare(self, name: str, op: str, value: Any) -> Optional[Pushed]:
        """A column against a value of its own type; of a time column against ns."""
        if self._is_time(name):
            return self.compare_time(name, op, value, value)
        if isinstance(value, float) and math.isnan(value):
            return None
        condition = self._checked(lambda: _OPERATORS[op](col(name), value))
        if condition is not None and op in (">", ">=") and self.is_float(name):
            condition = condition | ~(col(name) <= math.inf)  # NaN is the largest to the engines
        return None if condition is None else Pushed(condition)

    def compare_time(self, name: str, op: str, first: int, last: int) -> Optional[Pushed]:
        """A time column against a time of a coarser unit, which is `first` to `last` in ns."""
        column = col(name)
        if op in ("<", "<=", ">", ">="):
            bound = first if op in ("<", ">=") else last + 1
            after = op in (">", ">=")
            if name == self._schema.time and abs(bound) <= MAX_NS:
                return Pushed(start=bound) if after else Pushed(stop=bound)
            return Pushed(column >= bound if after else column < bound)
        if op == "==" and name == self._schema.time and -MAX_NS <= first <= last < MAX_NS:
            return Pushed(start=first, stop=last + 1)
        within = column.between(first, last)
        return Pushed(within if op == "==" else ~within)

    def member(self, name: str, values: Sequence[Any]) -> Optional[Pushed]:
        """Equal to one of some values of the column's own type, none of them null; of a time column
        ns. Engines differ in what it is where the column is null; not in that it is not true.
        """
        if len(values) > VALUES_MAX:
            return None
        if any(isinstance(value, float) and math.isnan(value) for value in values):
            return None
        condition = self._checked(lambda: col(name).isin(list(values)))
        return None if condition is None else Pushed(condition, negatable=False)

    def null(self, name: str, is_null: bool) -> Optional[Pushed]:
        """Whether there is no value, or is one."""
        return Pushed(col(name).is_null() if is_null else col(name).not_null())

    def nan(self, name: str) -> Optional[Pushed]:
        """Whether a float is NaN: it is not even up to infinity."""
        return None if not self.is_float(name) else Pushed(~(col(name) <= math.inf))

    def true(self, name: str) -> Optional[Pushed]:
        """A column of booleans by itself."""
        condition = self._checked(lambda: col(name))
        return None if condition is None else Pushed(condition)

    def all_of(self, parts: Sequence[Optional[Pushed]]) -> Pushed:
        """Each of them; what cannot be pushed down makes it inexact."""
        known = [part for part in parts if part is not None]
        conditions = [part.where for part in known if part.where is not None]
        starts = [part.start for part in known if part.start is not None]
        stops = [part.stop for part in known if part.stop is not None]
        where = _joined(operator.and_, conditions)
        whole = len(known) == len(parts) and (where is not None or not conditions)
        return Pushed(
            where,
            max(starts, default=None),
            min(stops, default=None),
            whole and all(part.exact for part in known),
            whole and all(part.negatable for part in known),
        )

    def any_of(self, parts: Sequence[Optional[Pushed]]) -> Optional[Pushed]:
        """One of them."""
        conditions: List[Expression] = []
        for part in parts:
            condition = None if part is None else self._condition(part)
            if condition is None:
                return None
            conditions.append(condition)
        exact = all(part is not None and part.exact for part in parts)
        negatable = all(part is not None and part.negatable for part in parts)
        joined = _joined(operator.or_, conditions)
        return None if joined is None else Pushed(joined, exact=exact, negatable=negatable)

    def inverse(self, part: Optional[Pushed]) -> Optional[Pushed]:
        """Not this; only of what is exact, and says null where the predicate does."""
        if part is None or not (part.exact and part.negatable):
            return None
        condition = self._condition(part)
        if condition is None:
            return None
        try:
            return Pushed(~condition)
        except LimitExceeded:
            return None

    def settled(self, pushed: Pushed) -> Pushed:
        """The same, or its range of time alone where the table takes no condition so large."""
        where = pushed.where
        if where is None or self._checked(lambda: where) is not None:
            return pushed
        return Pushed(None, pushed.start, pushed.stop, exact=False, negatable=False)

    def _condition(self, part: Pushed) -> Optional[Expression]:
        time = col(self._schema.time)
        conditions = [] if part.where is None else [part.where]
        if part.start is not None:
            conditions.append(time >= part.start)
        if part.stop is not None:
            conditions.append(time < part.stop)
        return _joined(operator.and_, conditions)

    def _checked(self, make: Callable[[], Expression]) -> Optional[Expression]:
        """The condition if the table can be asked it: what a type does not allow, engines may."""
        try:
            condition = make()
            core_condition(condition, self._schema, None)
            return condition
        except (InvalidArgument, LimitExceeded):
            return None

    def _is_time(self, name: str) -> bool:
        return name in self._schema and self._schema[name].dtype.name == "timestamp"

    def is_float(self, name: str) -> bool:
        """True for a column that may hold NaN."""
        return name in self._schema and self._schema[name].dtype.name.startswith("float")


def _joined(
    join: Callable[[Expression, Expression], Expression], conditions: Sequence[Expression]
) -> Optional[Expression]:
    """One of all of them; None of none, and where it is nested deeper than conditions may be."""
    try:
        return functools.reduce(join, conditions) if conditions else None
    except LimitExceeded:
        return None
