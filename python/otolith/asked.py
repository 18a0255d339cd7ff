"""Values that a read asks for: one alone, or many in anything that can be gone through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, List, Optional

import numpy as np
import numpy.typing as npt

from otolith.arrow import arrow_column, given_array, is_arrow
from otolith.errors import InvalidArgument
from otolith.frames import Values
from otolith.times import Zone, array_to_ns, unbounded_ns


def many(values: Any, zone: Optional[Zone], *, undecided: bool = False) -> List[Any]:
    """The values asked for: one alone, or each of anything that can be gone through. `undecided`:
    times without a zone stay datetime64, for whoever will know the zone.
    """
    if is_arrow(values):
        values = arrow_column(values)
        if isinstance(values, Values):  # times, and nulls of no type
            if undecided and not values.utc and values.array.dtype.kind == "M":
                null = np.zeros(len(values.array), bool) if values.null is None else values.null
                return [None if no else time for time, no in zip(values.array, null)]
            if undecided and values.utc and values.array.dtype.kind == "M":
                return _of_any_year(values)
            ns, gone = array_to_ns(values.array, None if values.utc else zone, values.null)
            given: npt.NDArray[Any] = ns if gone is None else np.ma.MaskedArray(ns, mask=gone)
        else:
            given = given_array(values)
        return list(given.tolist())
    if isinstance(values, (str, bytes, bytearray, memoryview)) or not isinstance(values, Iterable):
        return [values]
    return [values[()]] if isinstance(values, np.ndarray) and values.ndim == 0 else list(values)


def _of_any_year(values: Values) -> List[Any]:
    """Times in UTC as ns, also those that no column holds; None for nulls."""
    try:
        ns, null = array_to_ns(values.array, None, values.null)
        return list((ns if null is None else np.ma.MaskedArray(ns, mask=null)).tolist())
    except InvalidArgument:
        null = np.zeros(len(values.array), bool) if values.null is None else values.null
        return [None if gone else unbounded_ns(time) for time, gone in zip(values.array, null)]
