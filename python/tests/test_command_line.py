"""The command line at both doors: the `otolith` script and, where it is built, the binary."""

import io
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import fcntl
import pytest

import otolith as oto
from otolith import command_files, command_line

ROOT = pathlib.Path(__file__).parents[2]
BINARY = ROOT / "build" / "release" / "bin" / "otolith"
QUOTES = (
    "time,symbol,bid\n2026-01-05T09:30:00Z,AAPL,180.5\n2026-01-05T09:31:00Z,MSFT,410\n"
    "2026-01-06T09:30:00Z,AAPL,181.25\n"
)


@pytest.fixture(params=["script", "binary"])
def door(request):
    """The words that start a door; what was built of another text is none."""
    if request.param == "script":
        return [sys.executable, "-c", "import sys; from otolith.command_line import main; "
                                      "sys.exit(main())"]  # fmt: skip
    if not BINARY.exists():
        pytest.skip("the binary is not built here")
    return [str(BINARY)]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder with market.oto in it, from which commands are run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quotes.csv").write_text(QUOTES)
    assert command_line.main(["import", "market.oto", "quotes", "quotes.csv", "--key", "symbol",
                              "--quiet"]) == 0  # fmt: skip
    return tmp_path


def run(door, *words, text=None, **options):
    return subprocess.run(
        [*door, *words], capture_output=True, text=True, encoding="utf-8", input=text, timeout=60,
        **options,
    )  # fmt: skip


def on_terminal(door, *words, columns=60, environment=None):
    """What a command writes to a terminal of so many columns, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # readline, where pytest loaded it, puts COLUMNS into the environment behind Python's back
        plain = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        os.execvpe(door[0], [*door, *words], {**plain, "TERM": "xterm", **(environment or {})})
    said = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return said.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def test_both_doors_say_the_same(door, kept):
    for words in (["head", "market.oto", "quotes"], ["status", "market.oto", "--json"],
                  ["query", "market.oto", "quotes", "--ndjson"], ["--help"], ["man"],
                  ["import", "--help"], ["completion", "zsh"], ["hed", "x"]):  # fmt: skip
        ran = run(door, *words)
        out, err = io.StringIO(), io.StringIO()
        code = _in_process(words, out, err)
        assert (ran.returncode, ran.stdout, ran.stderr) == (code, out.getvalue(), err.getvalue())


def _in_process(words, out, err):
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        return command_line.main(words)
    finally:
        sys.stdout, sys.stderr = before


def test_a_session_of_a_new_user(door, kept):
    """A terminal session as it was recorded, but for times and hashes."""
    assert run(door, "init", "new.oto").stdout == "new.oto: made\n"
    ran = run(door, "import", "new.oto", "q", "-", "--key", "symbol", text=QUOTES)
    assert ran.returncode == 0
    assert ran.stderr == (
        "column  type       note\ntime    timestamp  time\nsymbol  string     key\n"
        "bid     float64\n"
    )
    assert ran.stdout.startswith("q: 3 rows in commit 2; 111 B in ")
    assert run(door, "tail", "new.oto", "q", "-n", "1").stdout == (
        "time                  symbol     bid\n2026-01-06T09:30:00Z  AAPL    181.25\n"
    )
    assert run(door, "tag", "new.oto", "first").stdout == '"first" is commit 2\n'
    ran = run(door, "delete", "new.oto", "q", "--key", "symbol=MSFT", "--message", "tidy")
    assert ran.stdout == "q: 1 row deleted in commit 3; older commits go on showing them\n"
    ran = run(door, "query", "new.oto", "q", "--at", "first", "--columns", "bid", "--csv")
    assert ran.stdout == "bid\n180.5\n410.0\n181.25\n"
    assert len(run(door, "log", "new.oto", "--ndjson").stdout.splitlines()) == 3
    assert "all is sound" in run(door, "verify", "new.oto").stdout


def test_typos_are_told_with_the_nearest(door, kept):
    for words, code, told in (
        (["qurey", "market.oto", "quotes"], 2, 'did you mean "query"?'),
        (["query", "market.oto", "qotes"], 3, 'did you mean "quotes"?'),
        (["query", "market.oto", "quotes", "--columns", "bdi"], 3, 'did you mean "bid"?'),
        (["query", "market.oto", "quotes", "--colums", "bid"], 2, 'did you mean "--columns"?'),
        (["query", "markt.oto", "quotes"], 3, "not_found"),
    ):
        ran = run(door, *words)
        assert ran.returncode == code and told in ran.stderr and ran.stderr.count("\n") == 1


def test_a_terminal_gets_a_table_that_fits_and_colours_unless_told(door, kept):
    said, code = on_terminal(door, "head", "market.oto", "quotes", columns=34)
    assert code == 0
    assert said == (
        "\x1b[1mtime                  symbol\x1b[0m\n2026-01-05T09:30:00Z  AAPL\n"
        "2026-01-05T09:31:00Z  MSFT\n2026-01-06T09:30:00Z  AAPL\n"
        "not shown, for want of width: bid; --columns picks\n"
    )
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        said, _ = on_terminal(door, "head", "market.oto", "quotes", environment=environment)
        assert "\x1b" not in said and "181.25" in said
    said, code = on_terminal(door, "head", "market.oto", "quotes", columns=3)
    assert code == 0 and said.startswith("\x1b[1mti…")


def test_a_closed_pipe_ends_a_command_quietly(door, kept):
    rows = "".join(f"2026-01-05T09:30:00Z,S{i},{i}\n" for i in range(200_000))
    (kept / "many.csv").write_text("time,s,n\n" + rows)
    assert run(door, "import", "market.oto", "many", "many.csv", "--quiet").returncode == 0
    process = subprocess.Popen(
        [*door, "query", "market.oto", "many", "--csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"time,s,n\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=30) == 3


def test_a_full_disk_is_an_error(door, kept):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*door, "query", "market.oto", "quotes", "--csv"], stdout=full, stderr=subprocess.PIPE
        )
    assert ran.returncode == 3 and ran.stderr.count(b"\n") == 1


def test_odd_locales_and_names_are_data(door, kept):
    (kept / "é.csv").write_text("time,naïve\n2026-01-05,漢字\n", encoding="utf-8")
    for locale in ("C", "POSIX", "tr_TR.UTF-8"):
        environment = {
            **os.environ,
            "LC_ALL": locale,
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        }
        name = f"{locale} ../../\u202e\u2028é"
        ran = run(door, "import", "odd.oto", name, "é.csv", "--quiet", env=environment)
        assert ran.returncode == 0, ran.stderr
        assert "\u202e" not in ran.stdout and "\\u202e" in ran.stdout
        ran = run(door, "query", "odd.oto", name, "--csv", env=environment)
        assert ran.stdout == "time,naïve\n2026-01-05T00:00:00Z,漢字\n"
        ran = run(door, "import", "odd.oto", "a\x1b[31m\u202e", "é.csv", env=environment)
        assert ran.returncode == 3 and "control character" in ran.stderr
        assert "\x1b" not in ran.stderr and "\u202e" not in ran.stderr


def test_an_interrupt_stops_an_import_that_leaves_nothing(door, tmp_path):
    process = subprocess.Popen(
        [*door, "import", str(tmp_path / "db.oto"), "t", "-", "--quiet"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    rows = b"time,n\n" + b"2026-01-05,1\n" * 400_000
    process.stdin.write(rows)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (tmp_path / "db.oto").exists()


def test_the_version_is_told(door):
    assert run(door, "--version").stdout.startswith("otolith ")


def test_completions_are_scripts_of_their_shells(door):
    for shell in ("bash", "zsh", "fish"):
        ran = run(door, "completion", shell)
        assert ran.returncode == 0
        if any(os.access(f"{folder}/{shell}", os.X_OK) for folder in os.get_exec_path()):
            checked = subprocess.run([shell, "-n"], input=ran.stdout, text=True, timeout=30)
            assert checked.returncode == 0
    script = run(door, "completion", "bash").stdout
    asked = (
        f"{script}\nCOMP_WORDS=(otolith query); COMP_CWORD=1; COMP_WORDS[1]=qu; _otolith; "
        "echo ${COMPREPLY[@]}\n"
        "COMP_WORDS=(otolith query db t --na); COMP_CWORD=4; _otolith; echo ${COMPREPLY[@]}\n"
        "COMP_WORDS=(otolith query db t --nan ''); COMP_CWORD=5; _otolith; echo ${COMPREPLY[@]}\n"
    )
    ran = subprocess.run(["bash"], input=asked, capture_output=True, text=True, timeout=30)
    assert ran.stdout.splitlines() == ["query", "--nan", "null text"]


def test_the_man_page_is_one(door):
    page = run(door, "man").stdout
    assert page.startswith('.\\" Written by') and ".SH EXIT STATUS" in page
    assert all(not line.startswith(("..", "'")) for line in page.splitlines())


def test_parquet_and_arrow_go_through_the_wheel(kept, capsys):
    pq = pytest.importorskip("pyarrow.parquet")
    main = command_line.main
    for ending in ("parquet", "arrow"):
        file = f"quotes.{ending}"
        assert main(["export", "market.oto", "quotes", file, "--key", "symbol=AAPL"]) == 0
        assert main(["export", "market.oto", "quotes", file]) == 3
        assert "--force" in capsys.readouterr().err
        assert main(["import", "back.oto", ending, file, "--key", "symbol"]) == 0
        assert main(["query", "back.oto", ending, "--columns", "bid", "--csv"]) == 0
        assert capsys.readouterr().out.endswith("bid\n180.5\n181.25\n")
    words = ["export", "market.oto", "quotes", "few.parquet", "--where", "bid > 200"]
    assert main(words) == 0
    assert pq.read_table("few.parquet").column("bid").to_pylist() == [410.0]
    assert pq.read_table("quotes.parquet").column_names == ["time", "symbol", "bid"]
    assert main(["import", "back.oto", "parquet", "quotes.parquet", "--null", "x"]) == 3
    assert main(["import", "back.oto", "parquet", "none.parquet"]) == 3
    pathlib.Path("bad.parquet").write_bytes(b"PAR1 no")
    capsys.readouterr()
    assert main(["import", "other.oto", "t", "bad.parquet", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "invalid_argument"
    assert not pathlib.Path("other.oto").exists()


def test_what_is_not_installed_is_named(kept, monkeypatch, capsys):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(command_files.importlib, "import_module", missing)
    assert command_line.main(["export", "market.oto", "quotes", "q.parquet"]) == 3
    assert "pip install pyarrow" in capsys.readouterr().err
    assert command_line.main(["plot", "market.oto", "quotes", "bid", "-o", "q.png"]) == 3
    assert "pip install matplotlib" in capsys.readouterr().err


def test_a_notebook_reads_and_writes_text(kept, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("time,n\n2026-01-05,1\n"))
    out, err = io.StringIO(), io.StringIO()
    assert _in_process(["import", "market.oto", "n", "-", "--quiet"], out, err) == 0
    assert out.getvalue().startswith("n: 1 row in commit")
    with oto.open("market.oto") as db:
        assert len(db["n"]) == 1
