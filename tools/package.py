"""Builds sdist and wheel from one commit: the same commit gives the same bytes, on whichever machine and day."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

_BUILD = (
    "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True)
class Built:
    """The two files of a release."""

    sdist: Path
    wheel: Path


def git(root: Path, *words: str) -> bytes:
    """Ask git something about a checkout."""
    # Whichever git is on the path is the one that made the commit.
    return subprocess.run(("git", "-C", str(root), *words), check=True, stdout=subprocess.PIPE).stdout  # noqa: S607 - see above


def export(root: Path, commit: str, into: Path) -> None:
    """Write the files of a commit, and nothing that only lies in the checkout."""
    _unpack(git(root, "archive", "--format=tar", commit), into)


def _unpack(packed: bytes, into: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                file = into / member.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
                # What is packed has these modes: they must not depend on who builds.
                file.chmod(0o755 if member.mode & 0o100 else 0o644)


def build(tree: Path, epoch: int, into: Path) -> Built:
    """Build sdist and wheel from exported files.

    Raises:
        ValueError: the sdist builds another wheel than the files that it was made from.
    """
    into.mkdir(parents=True, exist_ok=True)
    sdist = into / _run_backend("sdist", tree, epoch, into)
    sdist.write_bytes(without_times(sdist.read_bytes(), epoch))
    wheel = into / _run_backend("wheel", tree, epoch, into)
    with tempfile.TemporaryDirectory() as scratch:
        _unpack(sdist.read_bytes(), Path(scratch))
        again = Path(scratch) / _run_backend("wheel", next(Path(scratch).iterdir()), epoch, Path(scratch))
        if again.read_bytes() != wheel.read_bytes():
            raise ValueError("the sdist builds another wheel than the commit")
    return Built(sdist, wheel)


def without_python() -> dict[str, str]:
    """Take the environment of this process, but nothing that changes what Python does or imports."""
    environ = os.environ  # noqa: TID251 - a child needs the PATH, and pip its settings
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}


def _run_backend(kind: str, tree: Path, epoch: int, into: Path) -> str:
    told = subprocess.run(
        [sys.executable, "-c", _BUILD, kind, str(into.resolve())],
        cwd=tree,
        env=without_python() | {"SOURCE_DATE_EPOCH": str(epoch)},
        check=True,
        capture_output=True,
        umask=0o022,
    )
    return told.stdout.decode().splitlines()[-1]


def without_times(sdist: bytes, epoch: int) -> bytes:
    """Pack an sdist again, in a fixed order and without the times and owners of the machine that packed it."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(sdist)) as packed,
        gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as again,
    ):
        for member in sorted(packed.getmembers(), key=lambda member: member.name):
            mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            kept = member.replace(mtime=epoch, mode=mode, uid=0, gid=0, uname="", gname="")
            kept.pax_headers = {}
            again.addfile(kept, packed.extractfile(member) if member.isreg() else None)
    return out.getvalue()
