"""What `where=` asks of documents, as the core takes it: constants typed as they are themselves.

A path has another type in each document, so a constant is compared with what is of its kind: a
number with numbers, text with text (and with times, where it is one), a time with times.
"""

from __future__ import annotations

import datetime
import decimal
import operator
from typing import Any, Optional

import numpy as np

from otolith import _core
from otolith.errors import InvalidArgument, shown, utf8
from otolith.expression import CHAINS, Expression, Kind, Written, parts_of
from otolith.times import Zone, wide_ns
from otolith.where import Constant, asked, duration_ns, literal, made, on_times


def document_condition(where: object, zone: Optional[Zone] = None) -> _core.Expression:
    """What `where=` asks of documents: an expression, or its text. Naive datetimes are in `zone`.

    >>> document_condition(oto.col("user.age") > 30).shown
    '"user.age" > 30'
    """
    return _core_of(asked(where), zone)


def _core_of(where: Expression, zone: Optional[Zone]) -> _core.Expression:
    kind = where._kind
    if kind == Kind.constant:
        return literal(where, zone)
    parts = parts_of(where) if kind in CHAINS else where._of
    operands = [_core_of(part, zone) for part in parts]
    if kind == Kind.call or not (where._values or kind == Kind.isin):
        return made(where, operands, list(where._values))
    times = [_is_time(value) for value in where._values]
    if not any(times):
        return made(where, operands, [_constant(value) for value in where._values])
    if not all(times):
        raise InvalidArgument("where: times stand beside other values; join two conditions with |")
    kind, ns = on_times(kind, [wide_ns(value, zone) for value in where._values])
    return _core.Expression.make(kind, "", ns, operands, True, where._source)


def _is_time(value: object) -> bool:
    return isinstance(value, (datetime.date, np.datetime64))  # pandas' Timestamp is a datetime


def _constant(value: Any) -> Constant:
    if isinstance(value, Written):
        return _core.Expression.number(value.digits)
    if isinstance(value, str):
        return utf8("where: a text", str(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            return float(value)
        return _core.Expression.number(format(value, "f"))
    ns = duration_ns(value)
    try:
        number = operator.index(value) if ns is None else ns
    except TypeError:
        raise InvalidArgument(
            f"where: {type(value).__name__} {shown(value)} is nothing that a document's value is "
            "compared with; give a number, text, bytes, True, False or a time"
        ) from None
    return number if -(2**63) <= number < 2**64 else _core.Expression.number(str(number))
