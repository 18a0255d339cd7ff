"""Wraps whole-line `//` comments that are too long: clang-format would break our header fields.

  test/wrap.py FILE...

What does not fit goes to the front of the next line if that continues the paragraph, else to a line
of its own under the text it continues (`// Role:    ` continues at its column).
"""

import pathlib
import re
import sys

COLUMNS_MAX = 100
_COMMENT = re.compile(r"(?P<slashes>\s*///?)(?P<gap>\s*)(?P<field>[A-Z]\w+:\s+)?(?P<text>\S.*)?$")


def split(line):
    """(first part, indent of what continues it, the rest) of a comment line."""
    found = _COMMENT.match(line)
    indent = found["slashes"] + found["gap"] + " " * len(found["field"] or "")
    cut = line.rfind(" ", len(indent) + 1, COLUMNS_MAX + 1)
    return (line[:cut].rstrip(), indent, line[cut:].strip()) if cut > 0 else (line, indent, "")


def continues(line, indent):
    """Whether a line is plain text at this indent, not a new field or a drawing."""
    return line.startswith(indent) and re.match(r"[a-z(`\d]", line[len(indent) :]) is not None


def wrap(text):
    """The text with every whole-line comment wrapped."""
    lines, done = text.split("\n"), []
    while lines:
        line = lines.pop(0)
        if len(line) <= COLUMNS_MAX or not re.match(r"\s*//", line):
            done.append(line)
            continue
        first, indent, rest = split(line)
        done.append(first)
        if rest and lines and continues(lines[0], indent):
            lines[0] = indent + rest + " " + lines[0][len(indent) :]
        elif rest:
            lines.insert(0, indent + rest)
    return "\n".join(done)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        text = path.read_text(encoding="utf-8")
        if (wrapped := wrap(text)) != text:
            path.write_text(wrapped, encoding="utf-8")
