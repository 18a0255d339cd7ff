"""The shell of both doors: scripts from standard input, and a terminal that a test types at."""

import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import time

import pytest

BINARY = pathlib.Path(__file__).parents[2] / "build" / "release" / "bin" / "otolith"
SCRIPT = [
    sys.executable,
    "-c",
    "import sys; from otolith.command_line import main; sys.exit(main())",
]
PATIENCE_S = 20


def doors():
    found = [pytest.param(SCRIPT, id="wheel")]
    return [*found, pytest.param([str(BINARY)], id="binary")] if BINARY.exists() else found


class Terminal:
    """A program at a terminal of its own; what it shows is waited for, never slept for."""

    def __init__(self, words, folder):
        self.shown = ""
        self._raw = b""
        self._at = 0
        self._closed = False  # the program has ended, or is about to
        pid, self._fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            told = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "OTOLITH_HISTORY": str(folder / "past")}
            os.execvpe(words[0], words, {**os.environ, **told})
        self._pid = pid

    def types(self, keys, until, patience_s=PATIENCE_S):
        os.write(self._fd, keys.encode())
        return self.waits(until, patience_s)

    def presses(self, key, until):
        """A key that editors lose where it meets the moment between their prompt and their taking
        the terminal over: pressed again until it is answered."""
        for _ in range(2 * PATIENCE_S):
            try:
                return self.types(key, until, patience_s=0.5)
            except (AssertionError, OSError):
                if re.compile(until).search(self.shown, self._at):
                    break
        return self.waits(until)

    def waits(self, until, patience_s=PATIENCE_S):
        """What is shown up to a pattern, without what only moves the cursor."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            found = re.compile(until).search(self.shown, self._at)
            if found:
                before, self._at = self.shown[self._at : found.end()], found.end()
                return before
            if not self._more(end - time.monotonic()):
                break
        raise AssertionError(f"no {until!r} in {self.shown[self._at :]!r}")

    def _more(self, seconds):
        ready, _, _ = select.select([self._fd], [], [], max(0, seconds))
        try:
            got = os.read(self._fd, 4096) if ready else b""
        except OSError:
            got = b""
            self._closed = True
        self._raw += got
        self.shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._raw.decode(errors="replace"))
        return bool(got)

    def leaves(self):
        """The exit code behind Ctrl-D. Where that met the moment between a prompt and the editor's
        taking the terminal over, Ctrl-C takes away what is left of it, and it is pressed again."""
        for _ in range(2 * PATIENCE_S):
            try:
                os.write(self._fd, b"\x04")
                end = time.monotonic() + 0.5
                while time.monotonic() < end and self._more(end - time.monotonic()):
                    pass
                if self._closed:
                    return self.ends()
                os.write(self._fd, b"\x03")
            except OSError:
                return self.ends()
        raise AssertionError(f"Ctrl-D was not answered: {self.shown[self._at :]!r}")

    def ends(self):
        while self._more(PATIENCE_S):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


@pytest.mark.parametrize("door", doors())
def test_a_script_stops_at_its_first_error(door, tmp_path):
    def ran(text):
        return subprocess.run(
            [*door, "shell", str(tmp_path / "x.oto")], input=text, capture_output=True, text=True
        )

    good = ran("put notes '{\"_id\": \"a\"}' -m 'two words'\nget notes a  # shown\n")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == 'notes: 1 document put in commit 1\n{"_id":"a"}\n'
    bad = ran("tag first\nget notes zz\ntag second\n")
    assert bad.returncode == 3 and "stopped at line 2, with exit code 3" in bad.stderr
    assert "first" in ran("tag").stdout and "second" not in ran("tag").stdout


@pytest.mark.parametrize("door", doors())
def test_a_terminal_shows_pretty_documents_and_goes_on_after_errors(door, tmp_path):
    at = Terminal([*door, "shell", "x.oto"], tmp_path)
    at.waits("x.oto> ")
    at.types('put notes \'{"_id": "a", "t": "é"}\'\n', "put in commit 1\r\nx.oto> ")
    at.types("get notes a\n", '{\r\n  "_id": "a",\r\n  "t": "é"\r\n}\r\nx.oto> ')
    at.types("get notes zz\n", "not_found.*\r\nx.oto> ")
    at.types("put notes '{\n", "> ")
    at.presses("\x03", "\r\nx.oto> ")  # Ctrl-C gives the line up
    at.types("tag v1\n", '"v1" is commit 1\r\nx.oto> ')
    assert at.leaves() == 0


@pytest.mark.parametrize("door", doors())
def test_words_are_completed_and_lines_remembered(door, tmp_path):
    at = Terminal([*door, "shell", "x.oto"], tmp_path)
    at.waits("x.oto> ")
    at.types('put notes \'{"_id": "a"}\'\n', "put in commit 1\r\nx.oto> ")
    at.types("ge\tno\ta\n", '"_id": "a"\r\n}\r\nx.oto> ')
    at.types("exit\n", "\r\n")
    assert at.ends() == 0
    at = Terminal([*door, "shell", "x.oto"], tmp_path)
    at.waits("x.oto> ")
    at.types("\x1b[A\x1b[A\n", '"_id": "a"\r\n}\r\nx.oto> ')  # two lines up: get notes a
    assert at.leaves() == 0
