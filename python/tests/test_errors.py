"""One hierarchy: the right builtin exceptions too, a code, a place and an outcome."""

import pickle

import pytest

import otolith as oto
from otolith.errors import from_core

CODES = {
    "not_found": (oto.NotFound, KeyError), "conflict": (oto.Conflict, oto.Error),
    "corrupt": (oto.Corrupt, oto.Error),
    "invalid_argument": (oto.InvalidArgument, ValueError), "io": (oto.IoError, OSError),
    "no_space": (oto.NoSpace, OSError), "locked": (oto.Locked, oto.Error),
    "unsupported_format": (oto.UnsupportedFormat, oto.Error),
    "unauthorized": (oto.Unauthorized, PermissionError),
    "cancelled": (oto.Cancelled, oto.Error), "snapshot_expired": (oto.SnapshotExpired, oto.Error),
    "limit": (oto.LimitExceeded, oto.Error),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_class(code):
    kind, builtin = CODES[code]
    error = from_core(code, "what to do", "log/00000001.log", 4096, [3, 4], "unknown")
    assert type(error) is kind and isinstance(error, builtin) and isinstance(error, oto.Error)
    assert error.code == code and error.outcome == "unknown"
    assert error.where == {"file": "log/00000001.log", "offset": 4096, "commits": [3, 4]}
    assert str(error) == "what to do (at file log/00000001.log, offset 4096, commits 3, 4)"


def test_an_error_without_a_place_says_none():
    error = from_core("io", "the disk is gone", "", None, [], "failed")
    assert error.where is None and str(error) == "the disk is gone"


@pytest.mark.parametrize("code", CODES)
def test_errors_travel_between_processes(code):
    error = from_core(code, "what to do", "", 7, [], "failed")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.where, copy.outcome) == (
        type(error),
        str(error),
        error.where,
        error.outcome,
    )


def test_the_core_raises_them():
    with pytest.raises(oto.InvalidArgument, match="timestamp") as caught:
        from otolith import _core

        _core.type_canonical("blob")
    assert caught.value.outcome == "failed"
