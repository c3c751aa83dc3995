"""Ways to install pdmigrate, each in an empty place, and whether the demo runs there: `python tests/try_installs.py --write docs/installs.md`.

The demo is three headless runs of all six notebooks, so all that is installed is used. Built from the checkout: the wheel and the
sdist. Which Pythons are tried is said with `--python 3.12=/path/to/python`; one that does not answer is said to be left out.
Needs PyPI. pipx and uv are installed for this alone, in an environment of their own.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- installs: made by make installs -->", "<!-- installs: end -->"
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Way:
    """One way to install: with what, which package, on which Python, and which versions of the libraries."""

    tool: str
    package: str
    python: str
    versions: str


WAYS = (
    Way("pip", "wheel", "3.11", "those of constraints.txt"),
    Way("pip", "wheel", "3.12", "those of constraints.txt"),
    Way("pip", "wheel", "3.13", "those of constraints.txt"),
    Way("pip", "sdist", "3.11", "newest"),
    Way("pip", "wheel", "3.13", "newest"),
    Way("uv pip", "wheel", "3.11", "lowest"),
    Way("uv pip", "wheel", "3.13", "lowest"),
    Way("pipx", "wheel", "3.11", "newest"),
    Way("uv tool", "wheel", "3.12", "newest"),
)


class Failed(Exception):  # noqa: N818 - what is said in the table
    """A command ended otherwise than with 0; the text is its last line."""


def call(*command: str | Path, cwd: Path, **more: str) -> str:
    """What a command says, with nothing of this environment but the settings of the package clients."""
    keep = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "SSL_", "LANG"))}
    environment = keep | {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "default"} | more
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Failed(f"exit code {done.returncode}: {said[-1] if said else 'nothing said'}")
    return done.stdout


def build(place: Path, tools: Path) -> dict[str, Path]:
    """The wheel and the sdist of what is committed."""
    source = place / "source"
    call("git", "clone", "-q", "--depth", "1", f"file://{ROOT}", source, cwd=place)
    call(tools / "python", "-m", "build", "--outdir", place / "dist", source, cwd=place)
    (wheel,), (sdist,) = (place / "dist").glob("*.whl"), (place / "dist").glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def install(way: Way, package: Path, python: str, place: Path, tools: Path) -> Path:
    """The command `pdmigrate` of a new environment in place."""
    home = place / "environment"
    if way.tool == "pipx":
        folders = {"PIPX_HOME": str(home), "PIPX_BIN_DIR": str(place / "bin"), "PIPX_MAN_DIR": str(place / "man")}
        call(tools / "pipx", "install", "--backend", "pip", "--python", python, package, cwd=place, **folders)
        return place / "bin" / "pdmigrate"
    if way.tool == "uv tool":
        folders = {"UV_TOOL_DIR": str(home), "UV_TOOL_BIN_DIR": str(place / "bin")}
        call(tools / "uv", "tool", "install", "--python", python, package, cwd=place, **folders)
        return place / "bin" / "pdmigrate"
    call(python, "-m", "venv", home, cwd=place)
    if way.tool == "pip":
        pinned = ["-c", ROOT / "constraints.txt"] if "constraints" in way.versions else ["--upgrade"]
        call(home / "bin" / "python", "-m", "pip", "install", "-q", *pinned, package, cwd=place)
    else:
        lowest = ("--resolution", "lowest-direct")
        call(tools / "uv", "pip", "install", "-q", "--python", home / "bin" / "python", *lowest, package, cwd=place)
    return home / "bin" / "pdmigrate"


def try_way(way: Way, package: Path, python: str, place: Path, tools: Path) -> tuple[str, str]:
    """What became of it, and how much was installed."""
    place.mkdir()
    size = "–"
    try:
        command = install(way, package, python, place, tools)
        site = next(path.parent for path in (place / "environment").rglob("pdmigrate-*.dist-info"))
        megabytes = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
        size = f"{len(list(site.glob('*.dist-info')))} packages, {megabytes:,.0f} MB"
        call(command, "demo", "--workspace", place / "demo", cwd=place)
    except Failed as error:
        return str(error), size
    return "the demo ended with 0", size


def find_python(version: str, given: dict[str, str]) -> str | None:
    """A Python of that version that runs."""
    path = given.get(version) or shutil.which(f"python{version}")
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    told = path and subprocess.run([path, "-c", ask], capture_output=True, text=True, check=False).stdout.strip()
    return path if told == version else None


def try_all(ways: Sequence[Way], given: dict[str, str], tell: Callable[[str], object]) -> tuple[list[str], bool]:
    """A row for each way, and whether all of them went well."""
    rows, well = [], True
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        call(sys.executable, "-m", "venv", place / "tools", cwd=place)
        tools = place / "tools" / "bin"
        call(tools / "python", "-m", "pip", "install", "-q", "build", "pipx", "uv", cwd=place)
        packages = build(place, tools)
        for number, way in enumerate(ways):
            if python := find_python(way.python, given):
                became, size = try_way(way, packages[way.package], python, place / str(number), tools)
                shutil.rmtree(place / str(number))
            else:
                became, size = "not tried: no such Python here", "–"
            well &= became.endswith("with 0")
            rows.append(f"| {way.tool} | {way.package} | {way.python} | {way.versions} | {size} | {became} |")
            tell(rows[-1])
    return rows, well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", default=[], metavar="3.12=/path/to/python")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    rows, well = try_all(WAYS, dict(one.split("=", 1) for one in options.python), lambda row: print(row, flush=True))
    if options.write:
        head = f"Tried on {datetime.now(UTC):%d %B %Y}, on {platform.system()} ({platform.machine()}).".replace(
            " 0", " "
        )
        columns = "| with | package | Python | versions of the libraries | installed | what became of it |\n|---|---|---|---|---:|---|"
        table = "\n".join([head, "", columns, *rows])
        text = options.write.read_text(encoding="utf-8")
        whole = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text, flags=re.DOTALL)
        options.write.write_text(whole, encoding="utf-8")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
