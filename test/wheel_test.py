"""The wheel: it installs into an empty environment and needs no library that a machine may lack."""

import pathlib
import shutil
import subprocess
import sys

import numpy
import pytest
import wheel as wheels  # test/wheel.py

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "python"
PROGRAM = """
import sys, otolith as oto
with oto.open(sys.argv[1]) as db:
    t = db.create_table("t", {"time": "timestamp", "s": "string"}, codec="small")
    t.append({"time": range(99_999), "s": ["zstd and lz4"] * 99_999})
    db.compact()
    assert t.read().to_pylist(times="ns")[-1] == {"time": 99_998, "s": "zstd and lz4"}
    assert db.verify().ok
try:
    t.read()
except oto.InvalidArgument as error:  # exceptions of C++ within a module of its own
    print("ok", error)
"""


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (BUILD / "CMakeCache.txt").exists(), reason="no build of the package")
def test_a_wheel_runs_in_an_empty_environment(tmp_path):
    options = ["--no-build-isolation", "--no-deps", f"--config-settings=build-dir={BUILD}"]
    run(sys.executable, "-m", "pip", "wheel", "-q", *options, "-w", tmp_path, ROOT)
    [built] = tmp_path.glob("*.whl")
    named = wheels.checked(built)
    assert "-manylinux_2_" in named.name and not built.exists()
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
    install = ["install", "-q", "--no-deps", "--no-index", "--target", packages]
    run(sys.executable, "-m", "pip", *install, named)
    for library in pathlib.Path(numpy.__file__).parent.parent.glob("numpy*"):
        (packages / library.name).symlink_to(library)
    python = tmp_path / "venv" / "bin" / "python"
    said = run(python, "-I", "-c", PROGRAM, tmp_path / "a.oto", env={}, cwd=tmp_path)
    assert said.startswith("ok the database ") and "is closed" in said
    script = (packages / "bin" / "otolith").read_text().splitlines()[1:]
    assert any("otolith.command_line" in line for line in script)


def test_a_library_that_a_machine_may_lack_is_found(tmp_path):
    source = tmp_path / "a.c"
    source.write_text("extern unsigned ZSTD_versionNumber(void); unsigned f(void)"
                      " { return ZSTD_versionNumber(); }")  # fmt: skip
    compiler = shutil.which("clang-19") or "cc"
    run(compiler, "-shared", "-fPIC", source, "-lzstd", "-o", tmp_path / "a.so")
    assert wheels.needed(tmp_path / "a.so") == ["libzstd.so.1"]
    assert wheels.glibc(tmp_path / "a.so") >= (2, 2)
