"""Otolith: an embedded, time-first database whose every change is one commit in one history.

>>> import otolith as oto
>>> db = oto.open(":memory:")
>>> quotes = db.create_table("quotes", {"time": oto.timestamp, "bid": oto.float64})
>>> commit = quotes.append({"time": ["2026-01-05T09:00", "2026-01-05T09:01"], "bid": [1.5, 1.75]})
>>> quotes.read("2026-01-05", "2026-01-06")["bid"]
array([1.5 , 1.75])
>>> len(db.at("HEAD~1")["quotes"])
0
"""

import importlib
import logging
from typing import TYPE_CHECKING

from otolith._core import VERSION as __version__
from otolith.collection import Collection
from otolith.commit import Commit
from otolith.data import Data
from otolith.database import Database, open
from otolith.diff import Blame, Blamed, Changed, DatasetDiff, Diff, DiffRows, SchemaDiff
from otolith.document_blame import DocumentBlame, PathBlame
from otolith.document_diff import ChangedDocuments, DocumentChange, Documents, PathChange
from otolith.dtypes import (
    DType,
    binary,
    decimal,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    required,
    string,
    timestamp,
    uint8,
    uint16,
    uint32,
    uint64,
)
from otolith.dtypes import boolean as bool
from otolith.errors import (
    Cancelled,
    Conflict,
    Corrupt,
    Error,
    InvalidArgument,
    IoError,
    LimitExceeded,
    Locked,
    NoSpace,
    NotFound,
    SnapshotExpired,
    Unauthorized,
    UnsupportedFormat,
)
from otolith.expression import Expression, TextFunctions, TimeFunctions, col, condition
from otolith.recorder import Recorder
from otolith.schema import Column, Schema
from otolith.snapshot import Snapshot
from otolith.table import Table

if TYPE_CHECKING:
    from otolith.duckdb_views import duckdb
    from otolith.inspection import Inspection, inspect
    from otolith.polars_scan import scan_polars
else:
    _LATER = {  # imported when they are asked for, so that the rest is there sooner
        "Inspection": "otolith.inspection", "inspect": "otolith.inspection",
        "duckdb": "otolith.duckdb_views", "scan_polars": "otolith.polars_scan",
    }  # fmt: skip

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module 'otolith' has no attribute {name!r}")
        globals()[name] = found = getattr(importlib.import_module(_LATER[name]), name)
        return found

    def __dir__():
        return sorted({*globals(), *__all__})


logging.getLogger("otolith").addHandler(logging.NullHandler())  # silent unless asked to speak

__all__ = [
    "Blame", "Blamed", "Cancelled", "Changed", "ChangedDocuments", "Collection", "Column", "Commit",
    "Conflict", "Corrupt", "DType", "Data", "Database", "DatasetDiff", "Diff", "DiffRows",
    "DocumentBlame", "DocumentChange", "Documents", "Error", "Expression", "Inspection",
    "InvalidArgument", "IoError", "LimitExceeded", "Locked", "NoSpace", "NotFound", "PathBlame",
    "PathChange", "Recorder", "Schema", "SchemaDiff", "Snapshot", "SnapshotExpired", "Table",
    "TextFunctions", "TimeFunctions", "Unauthorized", "UnsupportedFormat", "__version__", "binary",
    "bool", "col", "condition", "decimal", "duckdb", "float32", "float64", "inspect", "int16",
    "int32", "int64", "int8", "open", "required", "scan_polars", "string", "timestamp", "uint16",
    "uint32", "uint64", "uint8",
]  # fmt: skip
