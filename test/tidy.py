"""Runs clang-tidy on the files that changed since they were last found clean.

  test/tidy.py BUILD [--jobs N]

A file is clean for as long as the text of it, of every header of ours it includes (as Ninja knows
them), and of .clang-tidy stays the same; tidy/ in BUILD remembers that. Taken are the sources
below src/, python/bindings/ and bench/ that BUILD compiles.
Tests and harnesses are left out: doctest's macros are not ours to judge. Exits 1 on any warning.

Nearly all the time goes into the headers, so the files of a folder are looked at as one; where
their names collide, or something is found, as two halves, down to the single file.
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = "clang-tidy-19"
FOLDERS = [ROOT / folder for folder in ("src", "python/bindings", "bench")]
GROUP = 24  # files looked at as one: what 2 GB of memory hold
OURS = r"(src|include/otolith|bindings|bench)/.*\.(h|cc)$"


def sources(build):
    """Our compiled files: path -> the words of the command that compiles it."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = {}
    for command in commands:
        path = pathlib.Path(command["file"])
        ours = any(map(path.is_relative_to, FOLDERS)) and not path.name.endswith("_test.cc")
        if ours and not path.name.startswith("fuzz_"):
            found[path] = shlex.split(command["command"])
    return found


def object_of(command):
    return command[command.index("-o") + 1]


def flags_of(command):
    return command[: command.index("-o")]


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


def groups(commands):
    """The files in stretches of one folder and one set of flags, largest first."""
    kinds = {}
    for path, command in sorted(commands.items()):
        kinds.setdefault((path.parent, *flags_of(command)), []).append(path)
    found = [
        paths[begin : begin + GROUP]
        for paths in kinds.values()
        for begin in range(0, len(paths), GROUP)
    ]
    return sorted(found, key=len, reverse=True)


def run(words, build):
    """What a command of one file says, '' where it is content."""
    done = subprocess.run(words, cwd=build, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def tidy(paths, command, build):
    """(path, its warnings, '' if it is clean) of each of `paths`, which are compiled alike."""
    with tempfile.TemporaryDirectory(dir=build / "tidy") as folder:
        together = pathlib.Path(folder) / "together.cc"
        together.write_text("".join(f'#include "{path}"\n' for path in paths), encoding="utf-8")
        file = together if len(paths) > 1 else paths[0]
        checks = [f"--config-file={ROOT / '.clang-tidy'}", "--quiet", "--use-color=false"]
        if len(paths) > 1:
            checks += ["--checks=-bugprone-suspicious-include", f"--header-filter={OURS}"]
        said = run([*flags_of(command), "-fsyntax-only", str(file)], build) or run(
            [CLANG_TIDY, *checks, str(file), "--", *flags_of(command)[1:]], build
        )
    if said and len(paths) > 1:
        half = len(paths) // 2
        return tidy(paths[:half], command, build) + tidy(paths[half:], command, build)
    return [(path, said) for path in paths]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    build = chosen.build.resolve()
    memory = build / "tidy"
    memory.mkdir(exist_ok=True)

    commands, deps = sources(build), inputs(build)
    stamps = {
        path: fingerprint([path, ROOT / ".clang-tidy", *deps.get(object_of(command), [])])
        for path, command in commands.items()
    }
    changed = {p: c for p, c in commands.items() if not (memory / stamps[p]).exists()}
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        looks = pool.map(lambda paths: tidy(paths, changed[paths[0]], build), groups(changed))
        for path, warnings in itertools.chain.from_iterable(looks):
            if warnings:
                bad += 1
                print(warnings, flush=True)
            else:
                (memory / stamps[path]).touch()
    print(f"  clang-tidy: {len(stamps)} files, {len(changed)} looked at anew, {bad} with warnings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
