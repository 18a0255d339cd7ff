"""Each house rule fails on a bad sample and is silent on a good one."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cpp_text
import lint
import mutants
import run
import wrap

HEADER = """\
// Bytes in a row.
//
// Role:    the write path.
// Errors:  none.
// Threads: immutable.
#pragma once
"""
PROSE = """\
// Rows are kept (see f(x)); sorted;
int f() { return 1; }
"""
PUBLIC = """\
class Page;
/// A row.
class Row {
 public:
  /// Its size; `f` is an example.
  ///     int bytes = row.size();
  int size() const;
  int size(int width) const;
  int height() const { return height_; }
  Row() = default;

 private:
  int secret();
};
"""
GOOD = {
    "docs/adr/README.md": "| [0001](0001-a.md) | a |\n",
    "docs/adr/0001-a.md": "# 0001\n",
    "src/floors.txt": "# floors\n0 base\n1 io async\n2 model\n",
    "src/base/CMakeLists.txt": "otolith_room(base FLOOR 0)\n",
    "src/base/bytes.h": HEADER + "\n#include <vector>\n\nstruct ByteRow { int length(); };\n",
    "src/base/mutex.h": HEADER + "\nclass Mutex { std::mutex native_; };\n",
    "src/io/file.h": HEADER + '#include "base/bytes.h"\n',
    "src/io/file.cc": '#include "io/file.h"\n#include <fstream>\nstd::ifstream input;\n',
    "src/model/row.cc": '#include "otolith/row.h"\n#include "io/file.h"\n' + PROSE,
    "src/model/row_test.cc": '#include "model/row.h"\n#include "test/budget.h"\n'
    'TEST_CASE("row: it is there") {}\nTEST_CASE(\n    "row: it "\n    "is long") {}\n',
    "python/tests/a.py": '"""Rows."""\n\n\ndef test_a():\n    pass\n',
    "docs/promises.md": "| promise | proved by |\n|---|---|\n| rows | `src/model/row_test.cc`: "
    "`row: it is there`, `row: it is long`; `python/tests/a.py`: `test_a` |\n",
    "include/otolith/row.h": HEADER + PUBLIC,
    "python/otolith/__init__.py": '"""Otolith."""\n\n\ndef open():\n    """Opens."""\n',
}

BAD = {
    "includes": {
        "sideways": ("src/io/file.cc", '#include "async/task.h"\n'),
        "up": ("src/base/bytes.cc", '#include "model/row.h"\n'),
        "up from a test": ("src/base/bytes_test.cc", '#include "io/file.h"\n'),
        "up in angle brackets": ("src/base/bytes.cc", "#include <model/row.h>\n"),
        "a room from a binding": ("python/bindings/row.cc", '#include "io/file.h"\n'),
        "no room": ("src/io/file.cc", '  #  include "file.h"\n'),
        "public": ("include/otolith/row.h", HEADER + '#include "base/bytes.h"\n'),
        "public in angle brackets": ("include/otolith/row.h", HEADER + "#include <base/bytes.h>\n"),
        "test in a source": ("src/io/file.cc", '#include "test/budget.h"\n'),
    },
    "rooms": {
        "no floor": ("src/attic/box.h", HEADER),
        "long CMakeLists.txt": ("src/base/CMakeLists.txt", "#\n" * 16),
    },
    "sizes": {
        "long file": ("src/io/file.cc", "int a;\n" * 601),
        "long line": ("src/io/file.cc", "// " + "x" * 98 + "\n"),
        "long line in Python": ("test/a_test.py", "# " + "x" * 99 + "\n"),
    },
    "medians": {
        "headers": ("src/base/bytes.h", HEADER + "int a;\n" * 400, "src/io/file.h"),
        "sources": ("src/io/file.cc", "int a;\n" * 550),
        "functions": ("src/model/row.cc", "int f() {\n" + "  g();\n" * 20 + "}\n"),
    },
    "functions": {
        "C++": (
            "src/io/file.cc",
            "struct A {\n int f() const noexcept {\n" + "  g();\n" * 70 + "}\n};\n",
        ),
        "constructor": (
            "src/io/file.cc",
            "A::A(int a)\n : a_{a},\n b_(a) {\n" + "  g();\n" * 70 + "}\n",
        ),
        "Python": ("test/a_test.py", "def f():\n" + "    g()\n" * 70),
    },
    "public_documented": {
        "class": ("include/otolith/row.h", HEADER + "class Row {};\n"),
        "method": (
            "include/otolith/row.h",
            HEADER + "/// A row.\nclass Row {\n public:\n  int size() const;\n};\n",
        ),
        "function": (
            "include/otolith/row.h",
            HEADER + "namespace otolith {\nint size(int row);\n}\n",
        ),
        "behind another": (
            "include/otolith/row.h",
            HEADER + "/// A.\nint a();\nint b();\n",
        ),
        "overload ended by a blank line": (
            "include/otolith/row.h",
            HEADER + "/// A.\nint a();\n\nint a(int);\n",
        ),
    },
    "python_documented": {
        "module": ("python/otolith/a.py", "def _private():\n    pass\n"),
        "function": ("python/otolith/a.py", '"""A."""\n\n\ndef f():\n    pass\n'),
        "method": (
            "python/otolith/a.py",
            '"""A."""\n\n\nclass A:\n    """A."""\n\n    def f(self):\n        pass\n',
        ),
    },
    "header_comments": {
        "no role": ("src/io/file.h", HEADER.replace("Role", "Rule")),
        "no errors": ("src/io/file.h", HEADER.replace("// Errors:  none.\n", "")),
        "no threads": ("src/io/file.h", HEADER.replace("Threads: immutable.", "Threads:")),
        "threads in words": ("src/io/file.h", HEADER.replace("immutable", "as its owner")),
        "threads twice": (
            "src/io/file.h",
            HEADER.replace("immutable.", "thread-safe; the\n//          cache is immutable."),
        ),
        "no sentence": ("src/io/file.h", "\n" + HEADER),
        "no pragma": ("src/io/file.h", HEADER.replace("#pragma once", "")),
    },
    "names": {
        "file": ("src/base/byte_util.h", HEADER),
        "class": ("src/base/bytes.cc", "class PageManager {};\n"),
        "nested": (
            "src/base/bytes.cc",
            "class Page {\n  struct Impl;\n  struct ImplData {};\n};\n",
        ),
    },
    "dead_code": {
        "call": ("src/io/file.cc", "// flush(file);\n"),
        "assignment": ("src/io/file.cc", "  // int pages = count(file);\n"),
        "if": ("src/io/file.cc", "// if (pages > 0) {\n"),
        "return": ("src/io/file.cc", "/* return pages; */\n"),
        "Python": ("test/a_test.py", "# pages = count(file)\n"),
        "Python if": ("test/a_test.py", "# if pages:\n"),
    },
    "os_text": {
        "stream": ("src/model/row.cc", "std::ifstream file;\n"),
        "clock": ("include/otolith/row.h", "auto t = std::chrono::steady_clock::now();\n"),
        "filesystem": ("src/model/row.cc", "#include <filesystem>\n"),
        "system call": ("src/model/row.cc", "int id = int(syscall(39));\n"),
        "random": ("src/base/bytes.cc", "std::random_device device;\n"),
    },
    "mutexes": {
        "mutex": ("src/io/file.h", HEADER + "struct A { mutable std::shared_mutex mutex; };\n"),
        "lock": ("python/bindings/row.cc", "const std::scoped_lock lock(mutex);\n"),
        "condition": ("src/io/file.cc", "std::condition_variable turn_;\n"),
    },
    "mutants_listed": {
        "no line": ("src/io/file.cc", 'if (mutant("io-lost")) return;\n'),
        "no mutant": ("test/mutants.txt", "io-gone: io_test: *\n"),
    },
    "decisions": {
        "long": ("docs/adr/0001-a.md", "a\n" * 61),
        "not in the index": ("docs/adr/0002-b.md", "# b\n"),
        "no number": ("docs/adr/b.md", "# b\n"),
    },
    "machine_paths": {
        "home": ("docs/a.md", "see /" + "home/ana/otolith\n"),
        "root": ("test/a.py", 'x = "/' + 'root/.cache"\n'),
    },
    "pages": {
        "by name": ("src/io/file.cc", "// Why: see FLOW.md 2.\n"),
        "by path": ("docs/adr/0001-a.md", "As docs/format/row.md says.\n"),
        "in another folder": ("docs/a.md", "As adr/0002-b.md says.\n"),
    },
    "promises": {
        "no test": ("docs/promises.md", "| it lasts | we hope so |\n"),
        "no file": ("docs/promises.md", "| it lasts | `test/a_test.cc`: `it lasts` |\n"),
        "no case": ("docs/promises.md", "| a row | `src/model/row_test.cc`: `row: it lasts` |\n"),
        "no function": ("docs/promises.md", "| a row | `python/tests/a.py`: `test_it` |\n"),
    },
}


@pytest.fixture
def root(tmp_path):
    write(tmp_path, GOOD)
    return tmp_path


def write(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.__name__)
def test_good_sample_passes(root, rule):
    assert lint.check(lint.Tree(root), rule) == []


@pytest.mark.parametrize("rule, sample", [(r, s) for r, samples in BAD.items() for s in samples])
def test_bad_sample_fails(root, rule, sample):
    path, text, *twins = BAD[rule][sample]
    write(root, {path: text, **{twin: text for twin in twins}})
    problems = lint.check(lint.Tree(root), getattr(lint, rule))
    assert problems and all(p.path in (path, "src", "src/attic") for p in problems)


def test_every_rule_has_a_bad_sample():
    assert {rule.__name__ for rule in lint.RULES} == {*BAD, "os_symbols"}


@pytest.mark.parametrize(
    "code, symbol",
    [
        ("#include <unistd.h>\nint f(int a) { return fsync(a); }", "fsync"),
        ('#include <fcntl.h>\nint f() { return open("a", 0); }', "open"),
        ("#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }", "clock"),
        ('#include <fstream>\nstd::ifstream f() { return std::ifstream("a"); }', "fstream"),
        ('#include <filesystem>\nbool f() { return std::filesystem::exists("a"); }', "filesystem"),
        ("#include <unistd.h>\nlong f() { return syscall(39); }", "syscall"),
        ('#include <cstdlib>\nchar* f() { return std::getenv("A"); }', "getenv"),
        ('#include <cstdlib>\nint f() { return std::system("true"); }', "system"),
        ("#include <random>\nunsigned f() { return std::random_device{}(); }", "random_device"),
    ],
    ids=lambda text: text if text.isidentifier() else "",
)
def test_call_of_the_system_outside_io_is_found_in_the_object(root, code, symbol):
    compiler = shutil.which("clang++-19") or pytest.skip("no clang++-19")
    for room in ("model", "io"):
        folder = root / "build" / "src" / room
        folder.mkdir(parents=True)
        subprocess.run(
            [compiler, "-std=c++23", "-x", "c++", "-c", "-o", "row.cc.o", "-"],
            input=code,
            text=True,
            cwd=folder,
            check=True,
        )
        subprocess.run(["ar", "qc", f"libotolith_{room}.a", "row.cc.o"], cwd=folder, check=True)
    problems = lint.check(lint.Tree(root, root / "build"), lint.os_symbols)
    assert any(symbol in problem.what for problem in problems)
    assert {problem.path for problem in problems if problem.path != "src/base"} == {
        "src/model/row.cc"
    }


def test_a_room_whose_library_is_not_built_is_a_problem(root):
    problems = lint.check(lint.Tree(root, root / "build"), lint.os_symbols)
    assert [problem.path for problem in problems] == ["src/model"]


def test_nothing_ran_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("OTOLITH_TALLY", str(tmp_path / "tally"))
    assert run.tally(0, 0) == 1
    assert run.tally(2, 0) == 0
    assert (tmp_path / "tally").read_text(encoding="utf-8") == "0 1\n2 0\n"


def test_waits_of_threads_are_no_calls_of_the_system():
    clock = "_ZNSt6chrono3_V212steady_clock3nowEv"
    assert lint.is_thread_wait(clock, "ready.wait_for(guard, time);")
    assert lint.is_thread_wait("syscall", "#include <latch>")
    assert not lint.is_thread_wait(clock, "#include <latch>")
    assert not lint.is_thread_wait("fsync", "#include <latch>\nready.wait_for(guard, time);")


def test_functions_are_told_from_initialisers():
    text = """\
namespace a {
const int table[] = {1, 2};
int v{f(1)};
template <typename T, int N = (3 > 2)>
auto f(T t = {}) -> std::vector<T> {
  return {t};
}
A::A(int x) noexcept(true) : a_{x}, b_(x) { g({1}); }
A& operator=(const A&) { return *this; }
auto lambda = [](int x) { return x; };
// int no() { }
struct S { bool operator==(S) const { return 1'000; } };
}
"""
    assert [f.name for f in cpp_text.functions(text)] == ["f", "A::A", "operator=", "operator=="]
    assert [f.last - f.first + 1 for f in cpp_text.functions(text)] == [4, 1, 1, 1]


def test_a_summary_is_counted_and_a_death_without_one_is_a_failure():
    summary = "[doctest] test cases:  3 |  2 passed |  1 failed |  0 skipped"
    assert run.count(summary, 1) == (2, 1)
    assert run.count("killed", -9) == (0, 1)
    assert run.count(summary.replace("1 failed", "0 failed"), 1) == (2, 1)


@pytest.mark.parametrize(
    "script, expected",
    [
        ('test "$OTOLITH_MUTANT" = m && f=1 || f=0', ""),
        ("f=0", "survived"),
        ("f=1", "without the mutant"),
        ("exit 3", "without the mutant"),
    ],
)
def test_a_mutant_counts_as_killed_only_if_its_tests_pass_without_it(script, expected):
    script += '; echo "[doctest] test cases: 1 | $((1 - f)) passed | $f failed |"; exit $f'
    [(name, verdict)] = mutants.verdicts([("m", "t", "*")], {"t": ["sh", "-c", script]}, 1)
    assert name == "m" and verdict.startswith(expected) and bool(verdict) == bool(expected)


def test_a_mutant_of_an_unknown_executable_is_not_killed():
    assert list(mutants.verdicts([("m", "t", "*")], {}, 1)) == [("m", "no test executable t")]
    assert mutants.parse("# a: b: c\n\nm: t: case: with, comma\n") == [
        ("m", "t", "case: with? comma")
    ]


def test_long_comments_wrap_under_what_they_continue():
    words = "word " * 22
    text = f"// Role:    {words}\n//          and more\nint a;\n"
    assert wrap.wrap(text).split("\n") == [
        "// Role:   " + " word" * 17,
        "//         " + " word" * 5 + " and more",
        "int a;",
        "",
    ]
    assert wrap.wrap(f"  /// {words}.\n")[:8] == "  /// wo" and wrap.wrap("x" * 200) == "x" * 200


COUNTER = """\
#include "base/mutex.h"
using namespace otolith;
class Counter {
 public:
  void add() {
    const MutexLock guard(mutex_);
    add_held();
  }
  void wait() {
    MutexLock guard(mutex_);
    changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return count_ > 0; });
    guard.unlock();
    add();
  }
  int read() {
    const ReadLock guard(shared_);
    return total_;
  }

 private:
  void add_held() OTO_REQUIRES(mutex_) { ++count_; }

  Mutex mutex_;
  Condition changed_;
  int count_ OTO_GUARDED_BY(mutex_) = 0;
  SharedMutex shared_;
  int total_ OTO_GUARDED_BY(shared_) = 0;
};
"""


@pytest.mark.parametrize(
    "right, wrong, said",
    [
        ("", "", None),
        (
            "{ ++count_; }",
            "{ ++count_; }\n  int bad() { return count_; }",
            "requires holding mutex",
        ),
        ("    const MutexLock guard(mutex_);\n", "", "'add_held' requires holding mutex"),
        ("    add_held();", "    mutex_.lock();", "that is already held"),
        ("    return total_;", "    return ++total_;", "requires holding shared mutex"),
        ("[this]() OTO_REQUIRES(mutex_)", "[this]", "requires holding mutex"),
        (
            "    guard.unlock();\n    add();",
            "    guard.unlock();\n    add_held();",
            "requires holding",
        ),
    ],
)
def test_what_a_mutex_guards_is_not_touched_without_it(right, wrong, said):
    """With the warnings that the build has, as errors."""
    compiler = shutil.which("clang++-19") or pytest.skip("no clang++-19")
    root = pathlib.Path(__file__).parent.parent
    house = (root / "cmake" / "house.cmake").read_text(encoding="utf-8")
    warnings = re.search(r"COMPILE_LANGUAGE:CXX>:(-W.*-Werror)>", house)[1].split()
    assert right in COUNTER
    done = subprocess.run(
        [compiler, "-std=c++23", "-fsyntax-only", *warnings, "-I", "src", "-x", "c++", "-"],
        input=COUNTER.replace(right, wrong) if right else COUNTER,
        cwd=root,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode != 0) == (said is not None), done.stderr
    assert said is None or said in done.stderr


@pytest.mark.parametrize(
    "command, code",
    [
        (["clang-format-19", "--dry-run", "-Werror", "--assume-filename=src/a.cc"], "int  a ;"),
        (["clang-tidy-19", "--quiet", "CODE", "--"], "int* p = 0;"),
        (["clang-tidy-19", "--quiet", "CODE", "--"], "int f(int a) { if (a = 1) {} return a; }"),
    ],
)
def test_format_and_tidy_fail_on_bad_code(command, code):
    root = pathlib.Path(__file__).parent.parent
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    (root / "build").mkdir(exist_ok=True)
    sample = root / "build" / "lint_sample.cc"
    sample.write_text(code)
    command = [str(sample) if word == "CODE" else word for word in command]
    done = subprocess.run(
        command, cwd=root, input=code, text=True, capture_output=True, check=False
    )
    sample.unlink()
    assert done.returncode != 0
