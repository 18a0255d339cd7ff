"""Checks a wheel, and names it for what it runs on: `test/wheel.py WHEEL`, as ./dev wheel does.

Its modules may need what every Linux with glibc has, and nothing else: the policy of manylinux. The
platform in its name is the oldest glibc whose symbols it uses. Prints the path of the named wheel.
"""

import base64
import csv
import hashlib
import io
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import zipfile

ALLOWED = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1"}
LOADER = re.compile(r"ld-linux.*\.so\.\d+")


def main(wheel):
    named = checked(pathlib.Path(wheel))
    print(named)


def checked(wheel):
    """The wheel under its lasting name; SystemExit says what it needs and may not."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        modules = [name for name in archive.namelist() if re.search(r"\.so(\.|$)", name)]
        paths = [pathlib.Path(archive.extract(name, folder)) for name in modules]
        extra = sorted({name for path in paths for name in needed(path)})
        if extra:
            sys.exit(
                f"{wheel.name} needs {', '.join(extra)}, which a machine may lack; link them in"
            )
        newest = max((glibc(path) for path in paths), default=(2, 17))
    return renamed(wheel, f"manylinux_{newest[0]}_{newest[1]}_{platform.machine()}")


def needed(module):
    """Libraries that it needs beyond those that are allowed."""
    shown = run("readelf", "-dW", module)
    names = re.findall(r"\(NEEDED\).*\[(.+?)\]", shown)
    return [name for name in names if name not in ALLOWED and not LOADER.fullmatch(name)]


def glibc(module):
    """The newest version of glibc whose symbols it uses."""
    shown = run("readelf", "-VW", module)
    return max(tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([\d.]+)", shown))


def run(*command):
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True
    ).stdout


def renamed(wheel, tag):
    """The same wheel for another platform: its name, its WHEEL, and the RECORD of that."""
    name = wheel.with_name(
        re.sub(r"-(linux|manylinux_\d+_\d+)_\w+\.whl$", f"-{tag}.whl", wheel.name)
    )
    if name == wheel:
        return wheel
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as new:
        records = {}
        for item in old.infolist():
            data = old.read(item)
            if item.filename.endswith(".dist-info/RECORD"):
                record = item
                continue
            if item.filename.endswith(".dist-info/WHEEL"):
                data = re.sub(rb"(?m)^(Tag: .*-)\w+$", rb"\1" + tag.encode(), data)
            records[item.filename] = data
            new.writestr(item, data)
        new.writestr(record, recorded(records, record.filename))
    wheel.unlink()
    return name


def recorded(files, record):
    """The text of a RECORD: names, hashes and sizes."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.writerow([name, f"sha256={digest}", len(data)])
    lines.writerow([record, "", ""])
    return out.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
