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
        code = _core.command_line(
            [os.fsencode(word) for word in words], sys.stdout.write, sys.stderr.write
        )
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open until the process ends
        return _ERROR
    return code
