"""The C++ package: installed, found by find_package, compiled by g++ 12, and run."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build" / "release"


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (RELEASE / "CMakeCache.txt").exists(), reason="no release build")
def test_a_program_finds_the_installed_library(tmp_path):
    prefix, build = tmp_path / "prefix", tmp_path / "build"
    run("cmake", "--install", RELEASE, "--component", "cpp", "--prefix", prefix)
    source = ROOT / "examples" / "cpp"
    options = ["-DCMAKE_CXX_COMPILER=g++-12", f"-DCMAKE_PREFIX_PATH={prefix}"]
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", *options)
    run("cmake", "--build", build)
    printed = run(build / "first", tmp_path / "market.oto")
    assert printed == "commit 2: 2 rows from 2 ns on, 0 before\n"
    again = subprocess.run([build / "first", tmp_path / "market.oto"], capture_output=True)
    assert again.returncode == 3 and b'a dataset named "quotes" exists' in again.stderr
