"""What `where=` asks, as the core takes it: constants typed as what they are compared with."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import math
import operator
from typing import Any, List, NoReturn, Optional, Tuple, Union

import numpy as np

from otolith import _core
from otolith.dtypes import DType
from otolith.errors import InvalidArgument, quoted, shown, utf8
from otolith.expression import (
    CHAINS,
    Expression,
    Kind,
    Written,
    condition,
    parts_of,
)
from otolith.schema import Column, Schema
from otolith.times import MAX_NS, Zone, wide_ns

Constant = Union[bool, int, float, str, bytes, _core.Expression]

_DIGITS_MAX = 38  # of a decimal, as in the core
_FLOAT_DIGITS = 400  # before the point: more than any column's type goes to


@dataclasses.dataclass(frozen=True)
class _Computed(Column):
    """A value that constants are compared with, as if it were a column of its type."""

    core: Any = None  # the _core.Expression


def core_condition(where: object, schema: Schema, zone: Optional[Zone]) -> _core.Expression:
    """What `where=` asks of a table, its constants typed as the columns are."""
    return _core_of(asked(where), schema, zone)


def asked(where: object) -> Expression:
    """`where=` as an expression; InvalidArgument for what is none."""
    if isinstance(where, str):
        return condition(where)
    if isinstance(where, Expression):
        return where
    example = "oto.col('bid') > 90, or as text 'bid > 90'"
    if callable(where):
        raise InvalidArgument(f"where= takes no function; give an expression, {example}")
    if isinstance(where, bool):
        example += "; functions are called, .dt.year() == 2026"
    raise InvalidArgument(f"where={shown(where)}: give an expression, {example}")


def _core_of(where: Expression, schema: Schema, zone: Optional[Zone]) -> _core.Expression:
    if where._source is None:
        return _node(where, schema, zone)
    try:
        return _node(where, schema, zone)
    except InvalidArgument as error:
        if "\n" in str(error):  # a part of it has shown its place
            raise
        raise InvalidArgument(f"{error}{where._source.place()}") from None


def _node(where: Expression, schema: Schema, zone: Optional[Zone]) -> _core.Expression:
    kind = where._kind
    if kind in CHAINS or kind == Kind.inverse:
        return made(where, [_core_of(part, schema, zone) for part in parts_of(where)])
    if kind == Kind.column:
        core = made(where, [])
        if where._name not in schema.by_name:
            _core.value_type(core, schema.core)  # which refuses it
        return core
    if kind == Kind.constant:
        return literal(where, zone)
    operands = [_core_of(part, schema, zone) for part in where._of]
    if kind in (Kind.add, Kind.subtract):
        operands = [
            _time_beside(part, operands[i], operands[1 - i], schema, zone)
            for i, part in enumerate(where._of)
        ]
    if kind == Kind.call or not (where._values or kind == Kind.isin):
        return made(where, operands, list(where._values))
    column = _compared(where._of[0], operands[0], schema)
    if column.dtype.name == "timestamp":
        kind, times = on_times(kind, [_time(column, value, zone) for value in where._values])
        return _core.Expression.make(kind, "", times, operands, True, where._source)
    return made(where, operands, [_constant(column, value) for value in where._values])


def made(
    where: Expression, operands: List[_core.Expression], values: Optional[List[Constant]] = None
) -> _core.Expression:
    """The node of an expression, of what its parts have become."""
    return _core.Expression.make(
        where._kind, where._name, values or [], operands, False, where._source
    )


def _compared(of: Expression, core: _core.Expression, schema: Schema) -> Column:
    """What constants are compared with."""
    if of._kind == Kind.column:
        return schema.by_name[of._name]
    return _Computed("", DType(_core.value_type(core, schema.core)), core=core)


# ------------------------------------------------------------------------ constants to compute with


def literal(where: Expression, zone: Optional[Zone]) -> _core.Expression:
    """A constant that is computed with."""
    value = where._values[0]
    if isinstance(value, Written):
        return _core.Expression.number(value.digits)
    if isinstance(value, str):
        return made(where, [], [utf8("where:", str(value))])
    if isinstance(value, (bool, np.bool_)):
        return made(where, [], [bool(value)])
    if isinstance(value, (float, np.floating)):
        return made(where, [], [float(value)])
    if isinstance(value, decimal.Decimal):
        return _decimal_literal(where, value)
    ns = duration_ns(value)
    if ns is None:
        try:
            ns = operator.index(value)
        except TypeError:
            return _time_literal(where, zone)
    if -(2**63) <= ns < 2**64:
        return made(where, [], [ns])
    return _core.Expression.number(str(ns))


def _decimal_literal(where: Expression, value: decimal.Decimal) -> _core.Expression:
    scale = max(0, -int(value.as_tuple().exponent)) if value.is_finite() else 0
    if not value.is_finite() or scale > _DIGITS_MAX or abs(value) >= 10 ** (_DIGITS_MAX - scale):
        raise InvalidArgument(
            f"where: {shown(value)} is no decimal of at most {_DIGITS_MAX} digits; give a float"
        )
    text = _core.Expression.make(Kind.constant, "", [format(value, "f")], [])
    return _core.Expression.make(Kind.cast, f"decimal({_DIGITS_MAX},{scale})", [], [text])


def _time_literal(where: Expression, zone: Optional[Zone]) -> _core.Expression:
    value = where._values[0]
    try:
        ns, exact = wide_ns(value, zone)
    except InvalidArgument as error:
        if isinstance(value, str):
            raise InvalidArgument(f"where: {error}") from None
        raise InvalidArgument(
            f"where: {type(value).__name__} {shown(value)} is nothing to compute with; give a "
            "number, a time, a timedelta or text"
        ) from None
    if not exact or math.isinf(ns):
        raise InvalidArgument(f"where: {shown(value)} is no time in ns that can be computed with")
    return _core.Expression.make(Kind.constant, "", [ns], [], True, where._source)


def _time_beside(
    part: Expression,
    core: _core.Expression,
    other: _core.Expression,
    schema: Schema,
    zone: Optional[Zone],
) -> _core.Expression:
    """A text beside a time is one, in the zone of the read."""
    text = part._kind == Kind.constant and isinstance(part._values[0], str)
    if not text or _core.value_type(other, schema.core) != "timestamp":
        return core
    return _time_literal(part, zone)


def duration_ns(value: object) -> Optional[int]:
    """ns of a timedelta of any kind; None for all else."""
    if isinstance(value, np.timedelta64):
        if np.datetime_data(value.dtype)[0] in ("Y", "M"):
            raise InvalidArgument(f"where: {value} is no number of ns: months differ in length")
        return int(value.astype("m8[ns]").astype(np.int64))
    if not isinstance(value, datetime.timedelta):
        return None
    ns = (value.days * 86_400 + value.seconds) * 1_000_000_000 + value.microseconds * 1_000
    return ns + int(getattr(value, "nanoseconds", 0))  # pandas has them


# ------------------------------------------------------------------------ constants to compare with


def _time(column: Column, value: Any, zone: Optional[Zone]) -> Tuple[Union[int, float], bool]:
    try:
        return wide_ns(value, zone)
    except InvalidArgument as error:
        raise InvalidArgument(f"where: {_name(column)}: {error}") from None


def on_times(
    kind: Kind, places: List[Tuple[Union[int, float], bool]]
) -> Tuple[Kind, List[Union[int, float]]]:
    """A comparison with times, of which some lie between two that can be stored: with those."""
    if all(exact for _, exact in places):
        return kind, [ns for ns, _ in places]
    if kind == Kind.between:
        (low, exact), (high, _) = places
        if not exact:
            low = low + 1 if low < MAX_NS else math.inf
        return kind, [low, high]
    if kind in (Kind.less, Kind.less_equal):
        return Kind.less_equal, [places[0][0]]
    if kind in (Kind.greater, Kind.greater_equal):
        return Kind.greater, [places[0][0]]
    return kind, [ns if exact else math.inf for ns, exact in places]  # nothing equals them


def _constant(column: Column, value: Any) -> Constant:
    """A value as the core compares it with the column; InvalidArgument where it does not."""
    dtype = column.dtype.name
    if dtype == "string":
        if isinstance(value, str):
            of = quoted(column.name) if column.name else "a value"
            return utf8(f"where: {of} as", str(value))
        _refuse(column, value, "text")
    if dtype == "binary":
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        _refuse(column, value, "bytes")
    if isinstance(value, (bool, np.bool_)) or dtype == "bool":
        if isinstance(value, (bool, np.bool_)) and dtype == "bool":
            return bool(value)
        _refuse(column, value, "True or False" if dtype == "bool" else "a number")
    return _number(column, value)


def _number(column: Column, value: Any) -> Constant:
    if isinstance(value, Written):
        return _core.Expression.number(value.digits)
    ns = duration_ns(value)
    if ns is not None:
        value = ns
    if isinstance(column, _Computed) and not column.dtype.name.startswith("float"):
        exact = _exact(value)
        if exact is not None:
            return exact
    if isinstance(value, (float, np.floating)):
        if float(value) == value or math.isnan(value):
            return float(value)
        _refuse(column, value, "a number that float64 holds")  # of more than 64 bits
    if isinstance(value, decimal.Decimal):
        return _decimal(column, value)
    try:
        number = operator.index(value)
    except TypeError:
        _refuse(column, value, "a number")
    if -(2**63) <= number < 2**64:
        return number
    beyond = math.inf if number > 0 else -math.inf
    if not column.dtype.name.startswith(("float", "decimal")):
        return beyond  # all integers of a column
    if column.dtype.name.startswith("decimal"):
        return str(number) if abs(number) < 10**_DIGITS_MAX else beyond
    if abs(number) < 2**1023 and int(float(number)) == number:
        return float(number)
    _refuse(column, value, "a number that float64 holds")


def _exact(value: Any) -> Optional[_core.Expression]:
    """An integer or decimal digit by digit, as results of more than 64 bits are compared with it;
    None for all else.
    """
    if isinstance(value, decimal.Decimal):
        if not value.is_finite() or value.adjusted() > _FLOAT_DIGITS:
            return None
        return _core.Expression.number(format(value, "f"))
    try:
        number = operator.index(value)
    except TypeError:
        return None
    return _core.Expression.number(str(number)) if abs(number) < 10**_FLOAT_DIGITS else None


def _decimal(column: Column, value: decimal.Decimal) -> Union[int, float, str]:
    if value.is_nan():
        return math.nan
    if value == 0:
        return 0
    if value.is_infinite() or value.adjusted() > _FLOAT_DIGITS:
        return math.inf if value > 0 else -math.inf
    if column.dtype.name.startswith("decimal"):
        if value.adjusted() < -_DIGITS_MAX - 1:  # between 0 and the least of any decimal column
            value = decimal.Decimal((value.is_signed(), (1,), -_DIGITS_MAX - 1))
        return format(value, "f")
    if column.dtype.name.startswith("float"):
        if decimal.Decimal(float(value)) == value:
            return float(value)
        _refuse(column, value, "a number that float64 holds")
    return _among_integers(column, value)


def _among_integers(column: Column, value: decimal.Decimal) -> Union[int, float]:
    """A number that lies to all integers as this one does."""
    floor = int(value.to_integral_value(decimal.ROUND_FLOOR))
    if not -(2**63) <= floor < 2**64:
        return math.inf if floor > 0 else -math.inf
    if floor == value:
        return floor
    if abs(floor) < 2**52:
        return floor + 0.5
    _refuse(column, value, "a whole number")


def _refuse(column: Column, value: Any, wanted: str) -> NoReturn:
    raise InvalidArgument(
        f"where: {_name(column)} is {column.dtype.name} and is compared with "
        f"{type(value).__name__} {shown(value)}; give {wanted}"
    )


def _name(column: Column) -> str:
    if isinstance(column, _Computed):
        return str(column.core.shown)
    return f"column {quoted(column.name)}"
