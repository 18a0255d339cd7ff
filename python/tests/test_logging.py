"""What the library has to say comes to the logger "otolith", in the thread of the caller."""

import logging
import os
import subprocess
import sys
import textwrap
import threading

import pytest

import otolith as oto


@pytest.fixture
def damaged(path):
    """A database whose checkpoint is damaged: it opens from the log, and says so."""
    with oto.open(path) as db:
        db.create_table("t", {"time": "timestamp"}).append({"time": 0})
    for checkpoint in path.glob("index/*.checkpoint"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:-1] + b"\xff")
    return path


def run(script, *arguments):
    """A script in a process of its own: what it printed, and what went to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


def test_a_damaged_checkpoint_is_logged_by_the_call_that_met_it(damaged, caplog):
    with caplog.at_level(logging.DEBUG, "otolith"):
        db = oto.open(damaged, read_only=True)
        found = [r for r in caplog.records if "checkpoint" in r.getMessage()]
    assert found and {record.name for record in found} == {"otolith"}
    assert found[0].levelno == logging.WARNING and found[0].thread == threading.get_ident()
    assert len(db["t"]) == 1


def test_without_a_handler_nothing_is_printed(damaged):
    assert run("import sys, otolith; otolith.open(sys.argv[1]).close()", damaged) == ("", "")


def test_a_handler_that_raises_fails_no_call(damaged):
    told, complained = run(
        """
        import logging, sys, otolith
        class Broken(logging.Handler):
            def emit(self, record):
                raise OSError("the handler is broken")
        logging.getLogger("otolith").addHandler(Broken())
        print(len(otolith.open(sys.argv[1])["t"]))
        """,
        damaged,
    )
    assert told == "1" and "the handler is broken" in complained


def test_threads_that_open_it_at_once_log_each_their_part(damaged, caplog):
    def opened():
        for _ in range(5):
            oto.open(damaged, read_only=True).close()

    with caplog.at_level(logging.DEBUG, "otolith"):
        threads = [threading.Thread(target=opened) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum("checkpoint" in record.getMessage() for record in caplog.records) >= 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_logs_too_and_ends(damaged):
    told, _ = run(
        """
        import logging, os, sys, otolith
        logging.basicConfig(stream=sys.stdout, format="%(name)s %(message).5s")
        child = os.fork()
        if child == 0:
            otolith.open(sys.argv[1], read_only=True)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
        damaged,
    )
    assert told.splitlines()[0] == "otolith index"


def test_a_handler_may_use_the_library(damaged):
    """A database opened within a handler: its lines come while others are being logged."""
    told, _ = run(
        """
        import logging, sys, otolith
        kept = []
        class Nested(logging.Handler):
            def emit(self, record):
                print("line")
                if not kept:
                    kept.append(None)
                    kept.append(otolith.open(sys.argv[1], read_only=True))
        logging.getLogger("otolith").addHandler(Nested())
        kept_open = otolith.open(sys.argv[1], read_only=True)
        """,
        damaged,
    )
    assert told.splitlines() == ["line"] * len(told.splitlines()) and "line" in told
