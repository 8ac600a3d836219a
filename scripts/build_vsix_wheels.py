"""Collect the wheels that the VS Code extension makes its private environment from.

    python scripts/build_vsix_wheels.py --target linux-x64 --dest client-vscode/wheels

The folder then holds the server, all that it needs on each supported Python of the target platform,
pip itself, and ``manifest.json``, which tells the extension what they serve. Needs a Python with
pip, of any version that pip 23.1 or newer runs on, and the package index that pip is set up for.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: The Pythons that a private environment can be made with, oldest first.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

#: VS Code's names of platforms: pip's platform tags, best first, and what the environment markers
#: of requirements (PEP 508) are there.
TARGETS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "linux-x64": (
        ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
    "linux-arm64": (
        ("manylinux_2_28_aarch64", "manylinux2014_aarch64"),
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    ),
    "alpine-x64": (
        ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64"),
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
    "alpine-arm64": (
        ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64"),
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    ),
    "darwin-x64": (
        ("macosx_11_0_x86_64", "macosx_10_13_x86_64", "macosx_10_12_x86_64"),
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "x86_64"},
    ),
    "darwin-arm64": (
        ("macosx_11_0_arm64",),
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    ),
    "win32-x64": (
        ("win_amd64",),
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    ),
    "win32-arm64": (
        ("win_arm64",),
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "ARM64"},
    ),
}

#: Runs pip with the environment markers of the target. ``pip download --python-version`` chooses
#: the files for that Python, but reads a condition such as ``python_version >= "3.12"`` with the
#: values of the Python that pip itself runs on, and would leave out what another one needs.
PIP_FOR_TARGET = """
import json, sys
from pip._vendor.packaging import markers
ours = json.loads(sys.argv.pop(1))
original = markers.default_environment
markers.default_environment = lambda: {**original(), **ours}
from pip._internal.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--target", required=True, choices=sorted(TARGETS))
    parser.add_argument("--dest", required=True, type=Path)
    options = parser.parse_args()
    dest: Path = options.dest.resolve()
    if dest.exists():
        shutil.rmtree(dest)
    dest.mkdir(parents=True)

    pip("wheel", "--no-deps", "--wheel-dir", str(dest), str(ROOT))
    (own,) = dest.glob("cachewise-*.whl")
    for version in PYTHONS:
        download(own, options.target, version, dest)
    pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(dest), "pip")
    write_manifest(dest, options.target, own)
    return 0


def download(own: Path, target: str, version: str, dest: Path) -> None:
    """Download what ``own`` needs on one Python of the target; what is there already stays."""
    tags, platform_markers = TARGETS[target]
    markers = {
        **platform_markers,
        "os_name": "nt" if target.startswith("win32") else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": version,
        "python_full_version": f"{version}.0",
    }
    command = [sys.executable, "-c", PIP_FOR_TARGET, json.dumps(markers)]
    command += ["--disable-pip-version-check", "--quiet", "download", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", version]
    for tag in tags:
        command += ["--platform", tag]
    command += ["--find-links", str(dest), "--dest", str(dest), str(own)]
    subprocess.run(command, check=True)


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


def write_manifest(dest: Path, target: str, own: Path) -> None:
    """Say what the wheels serve; ``client-vscode/src/environment.ts`` reads it."""
    names = sorted(path.name for path in dest.iterdir())
    stray = [name for name in names if not name.endswith(".whl")]
    if stray:
        raise SystemExit(f"not a wheel: {', '.join(stray)}")
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode())
        digest.update((dest / name).read_bytes())
    manifest = {
        "target": target,
        "version": own.name.split("-")[1],
        "pythons": list(PYTHONS),
        "pip": next(name for name in names if name.startswith("pip-")),
        "digest": digest.hexdigest(),
    }
    (dest / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    size = sum((dest / name).stat().st_size for name in names)
    print(f"{len(names)} wheels for {target}, Python {', '.join(PYTHONS)}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    raise SystemExit(main())
