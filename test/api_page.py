"""Writes docs/api.md, the public names of the installed package with their docstrings:

  .venv/bin/python test/api_page.py

`test/api_page_test.py` checks that the page is current.
"""

import inspect
import pathlib
import re
import textwrap

import otolith

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "api.md"
TYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "timestamp", "string", "binary",
]  # fmt: skip
GROUPS = {
    "Opening": ["open", "Database", "Snapshot"],
    "Tables": ["Table", "Recorder", "Data", "Schema", "Column", "Commit"],
    "Documents": ["Collection"],
    "Differences": [
        "Diff", "DatasetDiff", "DiffRows", "Changed", "Documents", "ChangedDocuments",
        "DocumentChange", "PathChange", "SchemaDiff", "Blame", "Blamed", "DocumentBlame",
        "PathBlame",
    ],
    "Conditions": ["col", "condition", "Expression", "TextFunctions", "TimeFunctions"],
    "Types": ["DType", "required", "decimal"],
    "Other engines": ["scan_polars", "duckdb"],
    "Files": ["inspect", "Inspection"],
    "Errors": [
        "Error", "NotFound", "Conflict", "Corrupt", "InvalidArgument", "IoError", "NoSpace",
        "Locked",
        "UnsupportedFormat", "Unauthorized", "Cancelled", "SnapshotExpired", "LimitExceeded",
    ],
}  # fmt: skip


def page():
    """The page as Markdown."""
    named = {name for names in GROUPS.values() for name in names} | {*TYPES, "__version__"}
    assert named == set(otolith.__all__), named ^ set(otolith.__all__)
    parts = [
        f"# The Python API of Otolith {otolith.__version__}",
        "Made from the docstrings by `test/api_page.py`; do not edit. The manual with its reasons "
        "is [python.md](python.md). Examples begin with `import numpy as np` and "
        "`import otolith as oto`, and run as tests.",
    ]
    for title, names in GROUPS.items():
        parts.append(f"## {title}")
        if title == "Types":
            parts.append(f"`oto.{'`, `oto.'.join(TYPES)}`: columns that may be null.")
        for name in names:
            parts += described(name, getattr(otolith, name), "###")
    return "\n\n".join(parts) + "\n"


def described(name, thing, level):
    """A name's heading, its docstring, and its members."""
    parts = [heading(level, name, thing), *documented(thing)]
    if inspect.isclass(thing):
        for member, value in members(thing):
            parts += described(f"{name}.{member}", value, level + "#")
    return parts


def members(thing):
    """Public methods and properties of a class, in the order of its source, and those of bases of
    ours that have no entry of their own."""
    seen = set()
    for of in thing.__mro__:
        ours = of.__module__.startswith("otolith") and of.__name__ not in otolith.__all__
        if of is not thing and not ours:
            continue
        for name, value in vars(of).items():
            public = not name.startswith("_") and name not in seen
            if public and (inspect.isfunction(value) or is_property(value)):
                seen.add(name)
                yield name, value


def is_property(value):
    return isinstance(value, property) or hasattr(value, "__set_name__")


def heading(level, name, thing):
    if is_property(thing):
        return f"{level} `{name}`"
    if inspect.isclass(thing):
        return f"{level} class `{name}`"
    return f"{level} `{name}{signature(thing)}`"


def signature(function):
    """Its parameters without their types, which the text says in words."""
    found = inspect.signature(function)
    plain = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in found.parameters.values()
        if p.name != "self"
    ]
    bare = found.replace(parameters=plain, return_annotation=inspect.Signature.empty)
    return re.sub(r"<[^<>]*>", "…", str(bare))


def documented(thing):
    """The paragraphs of a docstring; its examples as blocks."""
    text = inspect.getdoc(thing) or ""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith(">>>"):
            parts.append(f"```pycon\n{paragraph}\n```")
        elif paragraph.startswith("    "):
            parts.append(f"```\n{textwrap.dedent(paragraph)}\n```")
        elif paragraph:
            parts.append(paragraph)
    return parts


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
