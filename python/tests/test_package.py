"""The package as installed: it imports, is typed, and its docstrings tell the truth."""

import doctest
import importlib
import importlib.resources
import importlib.util
import inspect
import pathlib
import pkgutil
import subprocess
import sys

import numpy as np

import otolith


def test_package_is_the_installed_one():
    """Not the source folder: the compiled module and the stubs stand beside it."""
    folder = pathlib.Path(importlib.util.find_spec("otolith._core").origin).parent
    assert pathlib.Path(otolith.__file__).parent == folder
    assert importlib.resources.files("otolith").joinpath("py.typed").is_file()
    assert importlib.resources.files("otolith").joinpath("_core.pyi").is_file()


def test_every_public_name_has_a_docstring():
    """Of the compiled classes too, which lint cannot read."""
    missing = []
    for name in otolith.__all__:
        thing = getattr(otolith, name)
        members = vars(thing).items() if inspect.isclass(thing) else []
        for path, member in [(name, thing), *((f"{name}.{key}", m) for key, m in members)]:
            public = not path.rpartition(".")[2].startswith("_")
            documentable = callable(member) or isinstance(member, property)
            if public and documentable and not inspect.getdoc(member):
                missing.append(path)
    assert missing == []


def test_the_import_brings_numpy_only():
    """What is heavy is loaded when it is asked for; `./dev bench interop` has the time."""
    program = "import sys, otolith; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    heavy = {"pandas", "polars", "pyarrow", "duckdb", "matplotlib", "tqdm", "IPython"}
    assert "numpy" in ran.stdout.split()
    assert heavy.isdisjoint(ran.stdout.split())


def test_examples_in_docstrings_run():
    names = ["otolith"] + [m.name for m in pkgutil.walk_packages(otolith.__path__, "otolith.")]
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = {
        name: doctest.testmod(
            importlib.import_module(name), extraglobs={"oto": otolith, "np": np}, optionflags=flags
        )
        for name in names
    }
    assert not {name: result for name, result in results.items() if result.failed}
    assert sum(result.attempted for result in results.values()) > 0
