"""Every Python example and every shell session in README.md and docs/ runs."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(document):
    """The document's Python blocks, as one program: later ones go on from earlier ones."""
    blocks = re.findall(r"^```python\n(.*?)^```$", document.read_text("utf-8"), re.DOTALL | re.M)
    return "\n".join(blocks)


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if examples(d)], ids=lambda d: d.name)
def test_examples_of_documents_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(examples(document), str(document), "exec"), {"__name__": "example"})


def sessions(document):
    """(command, what it prints) of the document's console blocks, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```$", document.read_text("utf-8"), re.DOTALL | re.M)
    parts = re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)
    return [part.split("\n", 1) for part in parts[1:]]


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if sessions(d)], ids=lambda d: d.name)
def test_sessions_of_documents_run(document, tmp_path):
    """What is printed is that of the document, where … stands for anything on a line."""
    door = tmp_path / "bin" / "otolith"
    door.parent.mkdir()
    door.write_text(
        f"#!{sys.executable}\nimport sys\nfrom otolith.command_line import main\nsys.exit(main())\n"
    )
    door.chmod(0o755)
    for command, told in sessions(document):
        ran = subprocess.run(
            ["bash", "-c", f"PATH={door.parent}:$PATH; {command}"],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", timeout=60,
        )  # fmt: skip
        expected = re.escape(told).replace("…", ".*")
        assert re.fullmatch(expected, ran.stdout), f"$ {command}\n{ran.stdout}"
