"""The house rules of HACKING.md that a machine can check.

  test/lint.py [--build BUILD] [--root ROOT]

Each rule is one function below, from the tree of files to its problems; test/lint_test.py shows
each one failing. Prints `file:line: rule: what is wrong`, the medians, and how many rules hold.
Rules on object files run only where a BUILD with room libraries is given. Exits 1 on any problem.
"""

import argparse
import ast
import dataclasses
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cpp_text
import mutants
import run

COLUMNS_MAX = 100
FILE_LINES_MAX = 600
HEADER_LINES_MEDIAN_MAX = 100
SOURCE_LINES_MEDIAN_MAX = 250
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MEDIAN_MAX = 8
ROOM_CMAKE_LINES_MAX = 15
ADR_LINES_MAX = 60
THREADS = "immutable|thread-compatible|thread-safe"

FOLDERS = ["bin", "src", "include", "python", "examples", "test", "bench", "cmake", "docs", ".ci"]
BAD_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "impl", "misc"}

# What only `io` may ask of the operating system, by the symbols of objects ...
OS_SYMBOL = re.compile(
    r"(?:open(?:at)?(?:64)?|creat(?:64)?|f(?:d|re)?open(?:64)?|p?(?:read|write)v?(?:64)?(?:v2)?"
    r"|close|fsync|fdatasync|sync|syncfs|sync_file_range|f?truncate(?:64)?"
    r"|(?:posix_)?fallocate(?:64)?|mmap(?:64)?|munmap|msync|(?:posix_)?madvise|fcntl(?:64)?|flock"
    r"|lockf(?:64)?|rename(?:at2?)?|unlink(?:at)?|remove|mkdir(?:at)?|rmdir|f?d?opendir"
    r"|readdir(?:64)?|[lf]?stat(?:at|x|v?fs)?(?:64)?|access|faccessat|link(?:at)?|symlink(?:at)?"
    r"|ioctl|getpid|gettid|kill|v?fork|posix_spawnp?|exec[vl]p?e?|clock_gettime|gettimeofday|time"
    r"|(?:clock_)?nanosleep|u?sleep|getrandom|getentropy|s?rand(?:om)?|pthread_atfork|syscall"
    r"|dup[23]?|pipe2?|popen|pclose|system|mk[ds]temps?|tmpfile|mremap|copy_file_range|sendfile"
    r"|f?ch(?:mod|own|dir)(?:at)?|realpath|getcwd|(?:secure_)?getenv|setenv|v?printf|puts|clock"
    r"|socket|connect|bind|listen|accept4?|send(?:to|msg)?|recv(?:from|msg)?|poll|epoll_\w+)"
)
OS_MANGLED = re.compile(
    r"^_ZN(?:K?St13basic_filebuf|K?St14basic_[io]fstream|K?St13basic_fstream|St10filesystem"
    r"|KSt10filesystem|St6chrono3_V2\d+(?:system|steady|high_resolution)_clock3now"
    r"|St13random_device|KSt13random_device)"
)
# ... and by the text, before it is compiled.
OS_TEXT = re.compile(
    r"\bstd::(?:[io]?fstream|filesystem|random_device"
    r"|chrono::(?:system|steady|high_resolution)_clock)\b|#include <(?:fstream|filesystem)>"
    r"|(?<!\w)syscall\("
)
# Mutexes and locks of which the compiler does not know what they guard.
BARE_MUTEX = re.compile(
    r"\bstd::(?:(?:recursive_|shared_)?(?:timed_)?mutex|condition_variable(?:_any)?"
    r"|scoped_lock|lock_guard|unique_lock|shared_lock)\b"
)


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    path: str
    line: int
    rule: str
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


class Tree:
    """The files of a checkout, by path relative to its root, and the rooms of the house."""

    def __init__(self, root, build=None):
        self.root, self.build = pathlib.Path(root), build
        self.files = {}
        paths = [path for path in self.root.iterdir() if path.name != ".git"]
        for folder in FOLDERS:
            paths += sorted((self.root / folder).rglob("*"))
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts:
                try:
                    text = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue  # data, such as golden files
                self.files[path.relative_to(self.root).as_posix()] = text
        self.floors = {}
        for line in self.files.get("src/floors.txt", "").splitlines():
            if line[:1].isdigit():
                floor, *rooms = line.split()
                self.floors.update((room, int(floor)) for room in rooms)

    def select(self, *suffixes, under=""):
        return [
            (p, t) for p, t in self.files.items() if p.endswith(suffixes) and p.startswith(under)
        ]

    def cpp(self):
        return self.select(".h", ".cc")

    def rooms(self):
        """(path, text, room) of each file of a room."""
        return [
            (p, t, p.split("/")[1]) for p, t in self.select("", under="src/") if p.count("/") > 1
        ]


def is_test(path):
    return path.endswith("_test.cc") or path.startswith("test/") or "/fuzz_" in path


# ---- Rules: each takes the tree and yields (path, line, what is wrong) ---------------------------


def includes(tree):
    """A room includes itself and lower floors; public headers public ones; bindings little."""
    for path, text, room in tree.rooms():
        for line, target, ours in included(text) if path.endswith((".h", ".cc")) else []:
            first = target.split("/")[0]
            if not ours and ("/" not in target or first not in tree.floors):
                continue  # of the system, or of others
            if first == "otolith" or (first == "test" and is_test(path)):
                continue
            if first not in tree.floors or "/" not in target:
                yield path, line, f'"{target}" is no path of a room; write "room/file.h"'
            elif first != room and tree.floors[first] >= tree.floors.get(room, -1):
                yield path, line, f'"{target}" looks up or sideways (src/floors.txt)'
    for path, text in tree.select(".h", ".cc", under="python/bindings/"):
        for line, target, _ in included(text):
            if target == "cli/command_line.h":
                continue  # the script is the binary's other door
            if target.split("/")[0] in tree.floors.keys() - {"base", "document", "model"}:
                yield path, line, f'bindings hold no logic, and need no "{target}"'
    for path, text in tree.select(".h", under="include/"):
        for line, target, ours in included(text):
            if not target.startswith("otolith/") and (ours or target.split("/")[0] in tree.floors):
                yield path, line, f'a public header includes "{target}"'


def included(text):
    """(line, what, whether in quotes) of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            yield number, found[2], found[1] == '"'


def rooms(tree):
    """Every folder of src/ is a room with a floor, whose CMakeLists.txt is short."""
    for room in sorted({room for _, _, room in tree.rooms()}):
        if room not in tree.floors:
            yield f"src/{room}", 1, "has no floor in src/floors.txt"
        lines = tree.files.get(f"src/{room}/CMakeLists.txt", "").count("\n")
        if lines > ROOM_CMAKE_LINES_MAX:
            yield f"src/{room}/CMakeLists.txt", 1, f"{lines} lines, at most {ROOM_CMAKE_LINES_MAX}"


def sizes(tree):
    """Files and lines within their budgets."""
    for path, text in tree.select(".h", ".cc", ".py", ".cmake", "CMakeLists.txt", "dev"):
        lines = text.splitlines()
        if len(lines) > FILE_LINES_MAX:
            yield path, len(lines), f"{len(lines)} lines, at most {FILE_LINES_MAX}"
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                yield path, number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def medians(tree):
    """Medians of lines: headers, sources (without tests), functions."""
    measured = {
        "header lines": (line_counts(tree, ".h"), HEADER_LINES_MEDIAN_MAX),
        "source lines": (line_counts(tree, ".cc"), SOURCE_LINES_MEDIAN_MAX),
        "function lines": (function_lengths(tree), FUNCTION_LINES_MEDIAN_MAX),
    }
    for what, (values, most) in measured.items():
        median = statistics.median(values) if values else 0
        print(f"  median of {what}: {median:.0f} of {len(values)}, at most {most}")
        if median > most:
            yield "src", 1, f"median of {what} is {median:.0f}, at most {most}"


def ours(tree, *suffixes):
    """The code that users get."""
    for path, text in tree.select(*suffixes):
        if path.startswith(("src/", "include/", "python/bindings/")) and not is_test(path):
            yield path, text


def line_counts(tree, suffix):
    return [text.count("\n") for _, text in ours(tree, suffix)]


def function_lengths(tree):
    return [
        function.last - function.first + 1
        for _, text in ours(tree, ".h", ".cc")
        for function in cpp_text.functions(text)
    ]


def functions(tree):
    """No function is longer than a screen."""
    for path, text in tree.cpp():
        for function in cpp_text.functions(text):
            lines = function.last - function.first + 1
            if lines > FUNCTION_LINES_MAX:
                what = f"{function.name}: {lines} lines, at most {FUNCTION_LINES_MAX}"
                yield path, function.first, what
    for path, text in tree.select(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    yield (
                        path,
                        node.lineno,
                        f"{node.name}: {lines} lines, at most {FUNCTION_LINES_MAX}",
                    )


def public_documented(tree):
    """Every public type and function has a comment: above it, behind it, or above its overloads."""
    for path, text in tree.select(".h", under="include/"):
        lines, documented_to, named = [""] + text.splitlines(), 0, ""
        for s in cpp_text.statements(text):
            if not s.public:
                continue
            comment = lines[s.first - 1].lstrip().startswith("//")
            group = s.kind != "type" and s.first - 1 == documented_to and name_of(s) == named
            if comment or group or any("//" in line for line in lines[s.first : s.last + 1]):
                documented_to, named = (s.last, name_of(s)) if s.kind != "type" else (0, "")
            elif needs_comment(s):
                yield path, s.first, f"undocumented: {' '.join(s.text.split())[:60]}"


def name_of(s):
    """What stands before the parameters of a declaration."""
    found = re.search(r"([\w~]+|operator\S+)\s*\(", s.text)
    return found[1] if found else ""


def needs_comment(s):
    forward = s.kind == "declaration" and re.fullmatch(r"(class|struct|enum class)\s+\w+", s.text)
    if forward or re.match(r"static_assert|friend", s.text):
        return False
    if s.kind == "type" or s.scope == "namespace":
        return True
    special = re.search(r"\boperator\b|=\s*(default|delete)$|\boverride\b|~", s.text)
    accessor = s.kind == "function" and re.fullmatch(r"\{ return [\w.]+; \}", s.body)
    constructor = re.match(r"(explicit\s+)?[A-Z]\w*\s*\(", s.text)
    return "(" in s.text and not (special or accessor or constructor)


def python_documented(tree):
    """Every public module, class and function of the package has a docstring."""
    for path, text in tree.select(".py", under="python/otolith/"):
        yield from (
            (path, line, f"undocumented: {name}") for line, name in undocumented(ast.parse(text))
        )


def undocumented(node, name="module"):
    if not ast.get_docstring(node):
        yield getattr(node, "lineno", 1), name
    for child in node.body:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            overload = any("overload" in ast.unparse(d) for d in child.decorator_list)
            if not child.name.startswith("_") and not overload:
                if isinstance(child, ast.ClassDef):
                    yield from undocumented(child, child.name)
                elif not ast.get_docstring(child):
                    yield child.lineno, child.name


def header_comments(tree):
    """Each header begins with what it is, its role, errors and threads."""
    for path, text in tree.select(".h"):
        head = text.split("#pragma once")[0]
        if head == text:
            yield path, 1, "no #pragma once"
        if not re.match(r"// \S.*", head):
            yield path, 1, "does not begin with a sentence that says what this is"
        for field in ("Role", "Errors", "Threads"):
            if not re.search(rf"^// {field}:\s+\S", head, re.MULTILINE) and path.startswith(
                ("src/", "include/")
            ):
                yield path, 1, f"the header comment has no '{field}:'"
        if threads := re.search(r"^// Threads:\s+(\S(?:.|\n//  )*)", head, re.MULTILINE):
            said = re.findall(THREADS, threads[1])
            if len(said) != 1 or not re.match(rf"(?:{THREADS})[.,:;]", threads[1]):
                yield path, 1, f"'Threads:' begins with one of {THREADS} and says no other"


def names(tree):
    """No file and no class is called after nothing in particular."""
    for path, text in tree.select(".h", ".cc", ".py", ".cmake"):
        stem = path.split("/")[-1].rsplit(".", 1)[0]
        if BAD_NAMES & set(stem.lower().split("_")):
            yield path, 1, f"a file called '{stem}'"
        for s in cpp_text.statements(text) if path.endswith((".h", ".cc")) else []:
            words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", s.name) if s.kind == "type" else []
            if BAD_NAMES & {word.lower() for word in words}:
                yield path, s.first, f"a class called '{s.name}'"


CPP_CODE = re.compile(
    r"(?:"
    r"(?:if|for|while|switch)\s*\(.*[{;]|(?:return|using|namespace|#include|else)\b.*[;{>]"
    r"|\}.*|[\w:<>*&, ]+\s[\w.\->\[\]]+\s*[-+|&]?=\s.*;|[\w.:]+(?:->\w+)*\(.*\);"
    r")\s*$"
)


def dead_code(tree):
    """No code in comments: the history keeps it."""
    for path, text in tree.cpp():
        for line, comment, alone in cpp_text.comments(text):
            example = comment.startswith(("///   ", "//   "))
            if alone and not example and CPP_CODE.match(comment.strip("/* ")):
                yield path, line, f"commented-out code: {comment[:60]}"
    for path, text in tree.select(".py"):
        for number, line in enumerate(text.splitlines(), 1):
            if (found := re.match(r"\s*#\s?(\S.*)", line)) and is_python(found[1]):
                yield path, number, f"commented-out code: {found[1][:60]}"


def is_python(text):
    """Whether a comment's text is a statement that does something."""
    try:
        body = ast.parse(text.rstrip(":") + (":\n pass" if text.endswith(":") else "")).body
    except SyntaxError:
        return False
    doing = (
        ast.Assign,
        ast.AugAssign,
        ast.Import,
        ast.ImportFrom,
        ast.Return,
        ast.Raise,
        ast.If,
        ast.For,
    )
    doing += (ast.While, ast.With, ast.FunctionDef, ast.ClassDef, ast.Assert, ast.Delete)
    call = len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Call)
    return call or any(isinstance(node, doing) for node in body)


def os_text(tree):
    """Files, clocks and randomness of the standard library appear in io only."""
    for path, text in tree.cpp():
        room = path.split("/")[1]
        if path.startswith(("src/", "include/")) and room != "io" and not is_test(path):
            for number, line in enumerate(code_lines(text), 1):
                if found := OS_TEXT.search(line):
                    yield path, number, f"{found[0]} belongs in io (Vfs, Environment)"


def mutexes(tree):
    """Mutexes are those of base/mutex.h, whose annotations say what they guard."""
    for path, text in tree.cpp():
        ours = path.startswith(("src/", "include/", "python/")) and not is_test(path)
        if ours and path != "src/base/mutex.h":
            for number, line in enumerate(code_lines(text), 1):
                if found := BARE_MUTEX.search(line):
                    yield path, number, f"{found[0]}: take those of base/mutex.h"


def code_lines(text):
    return cpp_text.blank(text).splitlines()


def os_symbols(tree):
    """No object of another room than io refers to an operating system call."""
    for room in tree.floors if tree.build else []:
        library = tree.build / "src" / room / f"libotolith_{room}.a"
        if room == "io" or not tree.select(".cc", under=f"src/{room}/"):
            continue
        if not library.exists():
            yield f"src/{room}", 1, f"no {library.name} in the build to look at"
            continue
        for member, symbol in undefined(library):
            path = f"src/{room}/{member.removesuffix('.o')}"
            text = tree.files.get(path, "")
            asks = OS_SYMBOL.fullmatch(symbol) or OS_MANGLED.match(symbol)
            if asks and not is_thread_wait(symbol, text):
                yield path, 1, f"calls {symbol}; only io may"


def is_thread_wait(symbol, text):
    """Waiting of threads for each other, which the library makes of a clock and a futex."""
    timed = "steady_clock" in symbol and re.search(r"\.wait_(for|until)\(", text)
    return timed or (
        symbol == "syscall" and re.search(r"#include <(atomic|latch|semaphore)>", text)
    )


def undefined(library):
    """(object, symbol) of what the objects of a library need from elsewhere."""
    shown = subprocess.run(
        ["nm", "-A", "-u", str(library)], check=True, capture_output=True, text=True
    )
    for line in shown.stdout.splitlines():
        place, _, symbol = line.rpartition(" U ")
        if place:
            yield place.split(":")[-2], symbol.split("@")[0].strip()


def machine_paths(tree):
    """No path of somebody's machine."""
    folders = "work|home|root|Users"
    pattern = re.compile(rf"(?<![\w.-])/({folders})/")
    for path, text in tree.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if found := pattern.search(line):
                yield path, number, f"a machine's path: {line[found.start() :][:40]}"


def mutants_listed(tree):
    """Each mutant in the code has the test that kills it, and each line of the list its mutant."""
    listed = [m[0] for m in mutants.parse(tree.files.get("test/mutants.txt", ""))]
    present = {"canary"}
    for path, text in tree.select(".h", ".cc", under="src/"):
        for number, line in enumerate(text.splitlines(), 1):
            for name in re.findall(r'\bmutant\("([^"]+)"\)', line):
                present.add(name)
                if name not in listed and not is_test(path):
                    yield path, number, f"mutant {name} has no line in test/mutants.txt"
    for name in listed:
        if name not in present:
            yield "test/mutants.txt", 1, f"{name} is no mutant of the code"


def decisions(tree):
    """Each ADR is short and stands in the index."""
    index = tree.files.get("docs/adr/README.md", "")
    for path, text in tree.select(".md", under="docs/adr/"):
        name = path.split("/")[-1]
        if name != "README.md":
            if text.count("\n") > ADR_LINES_MAX:
                yield path, 1, f"{text.count(chr(10))} lines, at most {ADR_LINES_MAX}"
            if not re.match(r"\d{4}-[a-z0-9-]+\.md$", name) or f"({name})" not in index:
                yield path, 1, "is not NNNN-title.md with a line in docs/adr/README.md"


def pages(tree):
    """Every page that a file names is there: by its path, from its own folder, or by its name."""
    names = {path.split("/")[-1] for path in tree.files}
    for path, text in tree.files.items():
        if path == "test/lint_test.py":  # samples
            continue
        folder = pathlib.PurePosixPath(path).parent
        for number, line in enumerate(text.splitlines(), 1):
            for page in re.findall(r"(?<![\w./*-])\w[\w./-]*\.md\b", line):
                near = (folder / page).as_posix() in tree.files
                there = page in tree.files or near or ("/" not in page and page in names)
                if not there and page != "NNNN-title.md":
                    yield path, number, f"names {page}, which is not there"


def promises(tree):
    """Each promise names tests that prove it, by file and case, and they are there."""
    page = "docs/promises.md"
    for number, line in enumerate(tree.files.get(page, "").splitlines(), 1):
        if not line.startswith("| ") or line.endswith("| proved by |"):
            continue
        proofs = line.rstrip(" |").split(" | ")[-1]
        named = re.findall(r"`([\w./-]+\.(?:cc|py))`: ((?:`[^`]+`(?:, )?)+)", proofs)
        if not named:
            yield page, number, "names no test that proves it"
        for path, cases in named:
            there = cases_of(path, tree.files.get(path, ""))
            for case in re.findall(r"`([^`]+)`", cases):
                if case not in there:
                    yield page, number, f"{path} has no test {case}"


def cases_of(path, text):
    """The names of the tests of a file."""
    if path.endswith(".py"):
        return set(re.findall(r"^ *def (test_\w+)\(", text, re.MULTILINE))
    named = re.findall(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', text)
    return {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', name)) for name in named}


RULES = [
    includes,
    rooms,
    sizes,
    medians,
    functions,
    public_documented,
    python_documented,
    header_comments,
    names,
    dead_code,
    os_text,
    os_symbols,
    mutexes,
    machine_paths,
    mutants_listed,
    decisions,
    pages,
    promises,
]


def check(tree, rule):
    """The problems that one rule finds."""
    return sorted(Problem(path, line, rule.__name__, what) for path, line, what in rule(tree))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    options.add_argument("--build", type=pathlib.Path)
    chosen = options.parse_args()
    tree = Tree(chosen.root, chosen.build)
    broken = 0
    for rule in RULES:
        problems = check(tree, rule)
        broken += bool(problems)
        for problem in problems:
            print(problem)
    return run.tally(len(RULES) - broken, broken)


if __name__ == "__main__":
    sys.exit(main())
