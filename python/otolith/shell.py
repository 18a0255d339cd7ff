"""Lines of a shell at the terminal, for the `otolith` script: by Python's own editor of lines."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any, Callable, List, Optional, Union


Completions = Callable[[str], List[str]]
_LINES = 1000  # that are kept between runs


def editor() -> Callable[[str, Completions], Union[str, bool, None]]:
    """A function that has a line edited: None at the end, False where Ctrl-C was pressed."""
    readline = _readline()
    if readline is not None:
        _set_up(readline)

    def line(prompt: str, completions: Completions) -> Union[str, bool, None]:
        sys.stdout.flush()
        if readline is not None:
            readline.set_completer(_completer(readline, completions))
        try:
            text = input(prompt)
        except EOFError:
            print(flush=True)
            return None
        except KeyboardInterrupt:
            print(flush=True)
            return False
        if readline is not None:
            _keep(readline)
        return text

    return line


def _completer(readline: Any, completions: Completions) -> Callable[[str, int], Optional[str]]:
    found: List[str] = []

    def complete(_word: str, state: int) -> Optional[str]:
        if state == 0:
            found[:] = completions(readline.get_line_buffer()[: readline.get_endidx()])
            found[:] = [f"{found[0]} "] if len(found) == 1 else found
        return found[state] if state < len(found) else None

    return complete


def _readline() -> Optional[ModuleType]:
    try:
        import readline
    except ImportError:  # not on every platform: then lines are plain
        return None
    return readline


def _set_up(readline: Any) -> None:
    readline.set_completer_delims(" \t\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    readline.set_auto_history(True)
    readline.set_history_length(_LINES)
    if _file():
        try:
            readline.read_history_file(_file())
        except OSError:  # the first time, or not ours to read
            return


def _keep(readline: Any) -> None:
    if _file():
        try:
            readline.write_history_file(_file())
        except OSError:  # a full or read-only disk: the line was run nevertheless
            return


def _file() -> str:
    """OTOLITH_HISTORY, or a file at home; empty: none is kept."""
    return os.environ.get("OTOLITH_HISTORY", os.path.expanduser("~/.otolith_python_history"))
