"""What the machine itself can do: the limits beside which sides stand.

The same turns as the sides, so that a busy moment hits both.
"""

from __future__ import annotations

import os
import pathlib
from typing import List

import numpy as np

from turns import Side


def fresh_copy(arrays: List[np.ndarray]) -> Side:
    """Copies arrays into memory that nobody has touched before."""
    return Side("probe", lambda: [array.copy() for array in arrays], probe=True, note="fresh copy")


def sum_over(size: int, note: str) -> Side:
    """Sums `size` bytes up, as 64-bit integers: the fastest pass over bytes in memory."""
    words = np.ones(size // 8, np.uint64)
    return Side("probe", words.sum, probe=True, note=note)


def machine(figures, folder: pathlib.Path) -> None:
    """Memory and disk by themselves, over 400 MB and 1 KiB."""
    source = np.arange(50_000_000, dtype=np.uint64)
    target = np.zeros_like(source)
    size = source.nbytes / 1e9
    for operation, run in (
        ("copy of 400 MB into memory in use", lambda: np.copyto(target, source)),
        ("copy of 400 MB into fresh memory", source.copy),
        ("sum of 400 MB", source.sum),
    ):
        figures.turns("probe", operation, [Side("probe", run, note=f"{size:.1f} GB")])
    _disk(figures, folder)


def _disk(figures, folder: pathlib.Path) -> None:
    file = os.open(folder / "probe.bin", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    os.pwrite(file, bytes(1 << 22), 0)
    os.fsync(file)
    places = iter(range(0, 1 << 22, 1024))

    def append() -> None:
        os.pwrite(file, bytes([1]) * 1024, next(places))
        os.fdatasync(file)

    figures.turns("probe", "fdatasync of 1 KiB written", [Side("probe", append)], repeat=100)
    os.close(file)
    os.unlink(folder / "probe.bin")
