"""Reads C++ text as far as the house rules need it: comments, statements, scopes, functions.

No parser: it follows braces and parentheses outside comments and literals, and tells a function's
body from an initialiser by the text before the brace. What it cannot tell it takes for a statement.
"""

import dataclasses
import re

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)\""""
    r"""|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_TYPE = re.compile(r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(\w+)")


@dataclasses.dataclass
class Statement:
    """A declaration or definition outside of functions. Lines count from 1."""

    kind: str  # type | function | declaration
    text: str  # without comments and literals, up to the brace or semicolon
    first: int
    last: int  # of a function its closing brace, of a type its opening one
    scope: str  # namespace | type
    public: bool
    body: str = ""  # of a function, with its braces

    @property
    def name(self):
        if self.kind == "type":
            return _TYPE.search(self.text)[1]
        found = re.search(r"(operator\s*[^\s\w(]+|[~\w:]+)\s*\(", self.text)
        return found[1] if found else ""


def _spaces(match):
    return re.sub(r"[^\n]", " ", match[0])


def blank(text):
    """The text with comments and contents of literals as spaces: lines and columns stay."""
    return _TOKEN.sub(
        lambda m: _spaces(m) if m[0].startswith("/") else f'"{_spaces(m)[1:-1]}"', text
    )


def comments(text):
    """(line, comment with its slashes, whether it stands alone on its line)."""
    found = []
    for match in _TOKEN.finditer(text):
        if match[0].startswith("/"):
            before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            line = text.count("\n", 0, match.start()) + 1
            for i, part in enumerate(match[0].split("\n")):
                found.append((line + i, part, not before.strip()))
    return found


def _flat(header):
    """The header without template parameters, attributes, and what stands in brackets."""
    previous = None
    while previous != header:
        previous = header
        header = re.sub(r"\([^()]+\)", "()", header)
        header = re.sub(r"\{[^{}]+\}", "{}", header)
    header = re.sub(r"\[\[[^\]]*\]\]|\balignas\(\)", " ", header)
    while re.match(r"\s*template\s*<", header):
        header = header[_angle_end(header) + 1 :]
    return header.strip()


def _angle_end(header):
    """Position of the `>` that closes the first `<`."""
    depth = 0
    for at in range(header.index("<"), len(header)):
        depth += (header[at] == "<") - (header[at] == ">" and header[at - 1] != "-")
        if depth == 0:
            return at
    return len(header)


def _classify(header):
    """What the brace after this header opens: namespace, type, enum, function or initialiser."""
    flat = _flat(header)
    if re.search(r'\bnamespace\b|^extern\s*"', flat):
        return "namespace"
    if re.match(r"(typedef\s+)?enum\b", flat):
        return "enum"
    if re.match(r"(typedef\s+)?(class|struct|union)\b", flat) and not re.search(r"\w\s*\(\)", flat):
        return "type"
    without_operators = re.sub(r"operator\s*[^\s\w(]+", "", flat)
    if "(" not in flat or re.search(r"(?<![=<>!])=(?!=)", without_operators):
        return "initialiser"
    if re.search(r"\)[^:]*(?<!:):(?!:)", flat) and re.search(r"[\w>]$", flat):
        return "initialiser"
    return "function"


def _closing(code, at):
    """Position of the brace that closes the one at `at`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, at):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


class _Walk:
    """One pass over a file. `scopes` holds (kind, whether what follows is public)."""

    def __init__(self, text):
        self.code = _DIRECTIVE.sub(_spaces, blank(text))
        self.scopes = [("namespace", True)]
        self.start = 0
        self.statements = []

    def emit(self, kind, end, last=None, body=""):
        text = self.code[self.start : end]
        lead = len(text) - len(text.lstrip())
        if text.strip():
            line = self.code.count("\n", 0, self.start + lead) + 1
            last_line = self.code.count("\n", 0, end if last is None else last) + 1
            scope = self.scopes[-1][0]
            public = all(public for _, public in self.scopes)
            self.statements.append(
                Statement(kind, text.strip(), line, last_line, scope, public, body)
            )

    def open_brace(self, at):
        """Handles the brace at `at`; returns where to go on."""
        header = self.code[self.start : at]
        kind = _classify(header)
        if kind in ("namespace", "type"):
            if kind == "type":
                self.emit("type", at)
            public = kind == "namespace" or not re.match(r"(typedef\s+)?class\b", _flat(header))
            self.scopes.append((kind, public))
            self.start = at + 1
            return at + 1
        end = _closing(self.code, at)
        if kind == "enum":
            self.emit("type", at)
            self.start = end + 1
        if kind == "function":
            self.emit("function", at, end, self.code[at : end + 1])
            self.start = end + 1
        return end + 1

    def label(self, at):
        """Handles the colon at `at`, which may end `public` and the like."""
        word = self.code[self.start : at].strip()
        if word in ("public", "private", "protected"):
            self.scopes[-1] = (self.scopes[-1][0], word == "public")
            self.start = at + 1

    def run(self):
        depth, at = 0, 0
        token = re.compile(r"[(){};:]")
        while match := token.search(self.code, at):
            at, char = match.end(), match[0]
            if char in "()":
                depth += 1 if char == "(" else -1
            elif depth == 0 and char == "{":
                at = self.open_brace(match.start())
            elif depth == 0 and char == "}":
                if len(self.scopes) > 1:
                    self.scopes.pop()
                self.start = at
            elif depth == 0 and char == ";":
                self.emit("declaration", match.start())
                self.start = at
            elif depth == 0:
                self.label(match.start())
        return self.statements


def statements(text):
    """What a file declares and defines outside of functions, in order."""
    return _Walk(text).run()


def functions(text):
    """The function definitions of a file."""
    return [statement for statement in statements(text) if statement.kind == "function"]
