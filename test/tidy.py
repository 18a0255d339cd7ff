"""Runs clang-tidy on the files that changed since they were last found clean.

  test/tidy.py BUILD [--jobs N]

A file is clean for as long as the text of it, of every header of ours it includes (as Ninja knows
them), and of .clang-tidy stays the same; tidy/ in BUILD remembers that. Taken are the sources
below src/, python/bindings/ and bench/ that BUILD compiles.
Tests and harnesses are left out: doctest's macros are not ours to judge. Exits 1 on any warning.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = "clang-tidy-19"
FOLDERS = [ROOT / folder for folder in ("src", "python/bindings", "bench")]


def sources(build):
    """Our compiled files and the object each one makes."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = {}
    for command in commands:
        path = pathlib.Path(command["file"])
        ours = any(map(path.is_relative_to, FOLDERS)) and not path.name.endswith("_test.cc")
        if ours and not path.name.startswith("fuzz_"):
            words = shlex.split(command["command"])
            found[path] = words[words.index("-o") + 1]
    return found


def inputs(build):
    """For each object, the files of ours that it was made from."""
    listed = subprocess.run(
        ["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True
    )
    deps, current = {}, []
    for line in listed.stdout.splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
                current.append(path)
        elif ": #deps" in line:
            current = deps.setdefault(line.split(": #deps")[0], [])
    return deps


def fingerprint(paths):
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def tidy(path, build):
    """The warnings for one file, '' if it is clean."""
    done = subprocess.run(
        [CLANG_TIDY, "-p", str(build), "--quiet", "--use-color=false", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    build = chosen.build.resolve()
    memory = build / "tidy"
    memory.mkdir(exist_ok=True)

    deps = inputs(build)
    stamps = {
        path: fingerprint([path, ROOT / ".clang-tidy", *deps.get(made, [])])
        for path, made in sources(build).items()
    }
    changed = [path for path, stamp in stamps.items() if not (memory / stamp).exists()]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        for path, warnings in zip(changed, pool.map(lambda p: tidy(p, build), changed)):
            if warnings:
                bad += 1
                print(warnings, flush=True)
            else:
                (memory / stamps[path]).touch()
    print(f"  clang-tidy: {len(stamps)} files, {len(changed)} looked at anew, {bad} with warnings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
