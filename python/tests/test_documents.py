"""Every Python example in README.md and docs/ runs."""

import pathlib
import re

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
