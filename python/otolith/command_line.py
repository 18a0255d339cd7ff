"""The `otolith` script: the same command line as the `otolith` binary, run in this process."""

from __future__ import annotations

import io
import os
import shutil
import sys
from typing import List, Optional, TextIO

from otolith import _core, command_files, shell

_ERROR = 3  # as in src/cli/command_line.h
_INTERRUPTED = 130  # as shells have it: 128 and the signal's number


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs one command, for example ["inspect", "market.oto"], and returns its exit code: 0 done;
    1 done, and the answer is bad; 2 wrong usage; 3 error.

    >>> main(["inspect", "no/such.oto"])
    3
    """
    words = sys.argv[1:] if arguments is None else arguments
    terminal = _is_terminal(sys.stdout)
    try:
        code = _core.command_line(
            [os.fsencode(word) for word in words], _told, _complained, _read, command_files.run,
            shutil.get_terminal_size().columns if terminal else 0,
            _is_terminal(sys.stderr),
            terminal and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM", "dumb") != "dumb",
            shell.editor() if words[:1] == ["shell"] and _is_terminal(sys.stdin) else None,
        )  # fmt: skip
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _complained("\n")
        return _INTERRUPTED
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open until the process ends
        if not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            spoken = " ".join(["otolith", *words[:1]])
            _complained(f"{spoken}: cannot write what was found: {error}\n")
        return _ERROR
    return code


def _is_terminal(stream: Optional[TextIO]) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):  # a test's, or closed
        return False


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
    if sys.stderr is None:
        return
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.flush()
        sys.stderr.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stderr.flush()
    else:
        sys.stderr.write(text)


def _read(size: int) -> bytes:
    if sys.stdin is None:
        return b""
    if hasattr(sys.stdin, "buffer"):
        return sys.stdin.buffer.read(size)
    return sys.stdin.read(size // 4).encode()
