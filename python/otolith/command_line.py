"""The `otolith` script: the same command line as the `otolith` binary, run in this process."""

from __future__ import annotations

import os
import sys
from typing import List, Optional

from otolith import _core

_ERROR = 3  # as in src/cli/command_line.h


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs one command, for example ["inspect", "market.oto"], and returns its exit code: 0 done;
    1 done, and damage was found; 2 wrong usage; 3 error.

    >>> main(["inspect", "no/such.oto"])
    3
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _core.command_line([os.fsencode(word) for word in words], _told, _complained)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open until the process ends
        if not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            spoken = " ".join(["otolith", *words[:1]])
            _complained(f"{spoken}: cannot write what was found: {error}\n")
        return _ERROR
    return code


def _told(text: str) -> None:
    """Writes to standard output, in UTF-8 whatever the locale, as the `otolith` binary does."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    else:  # a notebook, or a test
        sys.stdout.write(text)


def _complained(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
