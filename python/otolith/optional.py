"""Libraries that only some verbs need, and what to say where one is missing."""

from __future__ import annotations

import importlib
from typing import Any

_EXTRAS = {"duckdb": "sql", "pyarrow.dataset": "sql"}  # of pyproject.toml; frames for all others


def needed(module: str, verb: str) -> Any:
    """The module; ModuleNotFoundError says which verb needs it, and how to install it.

    >>> needed("no_such_library", "to_pandas")
    Traceback (most recent call last):
    ModuleNotFoundError: to_pandas needs no_such_library, which is not installed; pip install ...
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != library:
            raise  # the library is there, and lacks something itself
        extra = _EXTRAS.get(module, "frames")
        raise ModuleNotFoundError(
            f'{verb} needs {library}, which is not installed; pip install "otolith[{extra}]", '
            f"or pip install {library}",
            name=library,
        ) from None
