"""Generate agen_authz/_pb from proto/, or compare the two with `--check`.

protoc writes imports as if `agen` were a top-level package. Ours lives in agen_authz._pb, so that nothing
that is installed next to us can collide with it: the imports of the generated files are rewritten.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "proto"
TARGET = ROOT / "agen_authz" / "_pb"
PREFIX = "agen_authz._pb"
INIT = '"""Generated from proto/ by `make proto`; do not edit."""\n'


def generate(sources: Path, target: Path) -> None:
    """Run protoc over every .proto below `sources` and make the result importable below `PREFIX`."""
    protos = sorted(path.relative_to(sources).as_posix() for path in sources.rglob("*.proto"))
    if not protos:
        return
    bin_dir = Path(sys.executable).parent
    subprocess.run(
        [
            sys.executable,
            *("-m", "grpc_tools.protoc", f"-I{sources}"),
            f"--plugin=protoc-gen-mypy={bin_dir / 'protoc-gen-mypy'}",
            *(f"--python_out={target}", f"--mypy_out=quiet:{target}"),
            *protos,
        ],
        check=True,
    )
    packages = {Path(proto).parts[0] for proto in protos}
    for path in sorted(target.rglob("*.py*")):
        path.write_text(rewrite_imports(path.read_text(), packages))
    for folder in [target, *(path for path in sorted(target.rglob("*")) if path.is_dir())]:
        (folder / "__init__.py").write_text(INIT)


def rewrite_imports(source: str, packages: set[str]) -> str:
    """Lead absolute imports of our own generated packages to `PREFIX`."""
    names = "|".join(sorted(re.escape(package) for package in packages))
    source = re.sub(rf"^from ({names})([. ])", rf"from {PREFIX}.\1\2", source, flags=re.MULTILINE)
    return re.sub(rf"^import ({names})\.(\S+) as ", rf"import {PREFIX}.\1.\2 as ", source, flags=re.MULTILINE)


def read_tree(folder: Path) -> dict[str, str]:
    """Read every generated file below a folder, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".pyi"}
    }


def compare(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """Name the files that differ, are missing, or should not be there."""
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write_tree(folder: Path, wanted: dict[str, str], found: dict[str, str]) -> None:
    """Make the generated files below a folder exactly the wanted ones."""
    for name in found.keys() - wanted.keys():
        (folder / name).unlink()
    for name in compare(wanted, {name: found[name] for name in found.keys() & wanted.keys()}):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(wanted[name])


def main(arguments: list[str]) -> int:
    """Generate, or with `--check` exit 1 when generating would change something."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(SOURCES, Path(scratch))
        wanted, found = read_tree(Path(scratch)), read_tree(TARGET)
    changed = compare(wanted, found)
    if "--check" in arguments:
        print(
            "".join(f"agen_authz/_pb/{name} is not what proto/ says; run `make proto`\n" for name in changed),
            end="",
        )
        return 1 if changed else 0
    write_tree(TARGET, wanted, found)
    print(f"agen_authz/_pb: {len(wanted)} files, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
