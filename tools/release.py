"""Builds the files of a release from the last commit, checks them in empty environments, and says what they came from.

`make release`: dist/ then holds the sdist, the wheel, the SBOM of the sidecar (CycloneDX), the provenance (in-toto) and
SHA256SUMS. What is not committed is not in them. Nothing is signed and nothing is published: docs/deploy.md.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.package import Built, build, export, git, without_python
from tools.provenance import LOCAL_BUILDER, Builder, Source, render_statement, render_sums

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements/build.txt", "requirements/dev.txt", "requirements/release.txt", "requirements/server.txt")
SBOM_WRITER = ROOT / "build" / "release-tools" / "bin" / "cyclonedx-py"
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
# The demo has an extra for itself, `__main__` runs the command, and Alembic runs the files of the store's revisions.
_NOT_IMPORTED = ("agen_authz/demo/", "agen_authz/__main__.py", "agen_authz/adapters/store/migrations/")


def main() -> int:
    """Build, check and describe a release."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="where the files go; it is emptied first")
    parser.add_argument("--builder", default=LOCAL_BUILDER, help="the URI that the provenance names as the builder")
    asked = parser.parse_args()
    commit = git(ROOT, "rev-parse", "HEAD").decode().strip()
    if changed := git(ROOT, "status", "--porcelain").decode().splitlines():
        print(f"release: {len(changed)} changed files are not committed, and not in this release")
    shutil.rmtree(asked.into, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        export(ROOT, commit, tree)
        epoch = int(git(ROOT, "log", "-1", "--format=%ct", commit))
        built = build(tree, epoch, asked.into)
        check_backend(built.wheel, tree, Path(scratch, "backend"))
        sidecar = check_sidecar(built.wheel, tree, Path(scratch, "sidecar"))
        files = [built.sdist, built.wheel, write_sbom(built, sidecar, tree)]
        source = Source(commit, {name: (tree / name).read_bytes() for name in LOCKS if (tree / name).exists()})
    _describe(
        files, source, Builder(asked.builder, {"python": sys.version.split()[0], "setuptools": version("setuptools")})
    )
    print(f"release: {asked.into}\n{(asked.into / 'SHA256SUMS').read_text('utf-8')}", end="")
    return 0


def _describe(files: list[Path], source: Source, builder: Builder) -> None:
    provenance = files[0].parent / "provenance.json"
    provenance.write_text(json.dumps(render_statement(files, source, builder), indent=2) + "\n", "utf-8")
    (provenance.parent / "SHA256SUMS").write_text(render_sums([*files, provenance]), "utf-8")


def check_backend(wheel: Path, tree: Path, environment: Path) -> None:
    """Install the wheel without extras, as a backend does, and import what backends import.

    Raises:
        subprocess.CalledProcessError: something is missing.
    """
    python = _make_environment(environment)
    lock = (tree / "requirements" / "server.txt").read_text("utf-8")
    needed = environment / "needed.txt"
    needed.write_text(find_pins(lock, needs_of(wheel)), "utf-8")
    _install_pins(python, needed)
    _install_wheel(python, str(wheel))
    _run(str(python), "-I", "-W", "error", "-c", "import agen_authz.verify")


def check_sidecar(wheel: Path, tree: Path, environment: Path) -> Path:
    """Install `[server,postgres]` from what requirements/server.txt pins, run the command; the environment's Python.

    Raises:
        subprocess.CalledProcessError: something is missing.
    """
    python = _make_environment(environment)
    _install_pins(python, tree / "requirements" / "server.txt")
    _install_wheel(python, f"{wheel}[server,postgres]")
    everything = environment / "everything.py"
    everything.write_text("".join(f"import {name}\n" for name in modules_of(wheel)), "utf-8")
    _run(str(python), "-I", str(everything))
    command = str(python.parent / "agen-authz")
    _run(command, "--help")
    _run(command, "check-config", "--no-secrets", str(tree / "docs" / "examples" / "demo" / "agen.yaml"))
    return python


def write_sbom(built: Built, python: Path, tree: Path) -> Path:
    """Write what the sidecar's environment holds, with versions and licences (CycloneDX), next to the wheel.

    Raises:
        FileNotFoundError: tools/install-release was not run.
    """
    if not SBOM_WRITER.exists():
        raise FileNotFoundError("the writer of the SBOM is not installed: run tools/install-release")
    name = "-".join(built.wheel.name.split("-")[:2])
    sbom = built.wheel.with_name(f"{name}.cdx.json")
    options = ("--pyproject", str(tree / "pyproject.toml"), "--mc-type", "application", "--output-reproducible")
    _run(str(SBOM_WRITER), "environment", *options, "--output-format", "JSON", "--output-file", str(sbom), str(python))
    return sbom


def modules_of(wheel: Path) -> list[str]:
    """List the modules of a wheel that the sidecar's environment must be able to import."""
    names = [name for name in ZipFile(wheel).namelist() if name.endswith(".py") and not name.startswith(_NOT_IMPORTED)]
    return [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names]


def needs_of(wheel: Path) -> set[str]:
    """Read which packages a wheel needs without any extra."""
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])
    needs = [Requirement(line) for line in lines]
    return {
        canonicalize_name(need.name) for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})
    }


def find_pins(lock: str, names: set[str]) -> str:
    """Take from a lock file the pins of some packages and of all that those need, as its `via` comments say."""
    blocks: dict[str, str] = {
        canonicalize_name(block.partition("==")[0]): block
        for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
        if "==" in block
    }
    wanted: set[str] = set(names)
    while more := {
        name
        for name, block in blocks.items()
        if name not in wanted and wanted & set(re.findall(r"[\w.-]+", _via(block)))
    }:
        wanted |= more
    return "".join(blocks[name] for name in sorted(wanted))


def _via(block: str) -> str:
    return block.partition("# via")[2]


def _make_environment(folder: Path) -> Path:
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def _install_pins(python: Path, lock: Path) -> None:
    _install(python, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock))


def _install_wheel(python: Path, wheel: str) -> None:
    # From no index, and with no settings of this machine that name another place: pip fails if something that the wheel
    # needs is not there yet.
    _install(python, "--isolated", "--no-index", wheel)
    # pip notes where a file came from; that path of this machine must not get into the SBOM.
    for noted in python.parent.parent.rglob("direct_url.json"):
        noted.unlink()


def _install(python: Path, *words: str) -> None:
    # Bytecode of everything takes as long as the rest, and the environment is thrown away.
    _run(sys.executable, *_PIP, "--python", str(python), "install", "--quiet", "--no-compile", *words)


def _run(*command: str) -> None:
    # Not from the checkout, where our package could be imported without being installed.
    subprocess.run(command, check=True, cwd=tempfile.gettempdir(), env=without_python(), stdout=subprocess.PIPE)


if __name__ == "__main__":
    sys.exit(main())
