"""Programs in Go that tests build: from the standard library only, so no network is needed."""

import os
import shutil
import subprocess
from pathlib import Path

# One cache for all of them: most of the time goes into the standard library.
_CACHE = Path(__file__).resolve().parents[2] / "build" / "go-cache"


def build_go(source: Path, binary: Path) -> None:
    """Build the program in a folder.

    Raises:
        AssertionError: Go is not installed, or it finds fault with the program.
    """
    _run_go(source, "build", "-o", str(binary), ".")


def vet_go(source: Path) -> None:
    """Look for what compiles and is suspicious; raises as `build_go` does."""
    _run_go(source, "vet", "./...")


def _run_go(source: Path, *words: str) -> None:
    go = shutil.which("go")
    assert go is not None, "go is not installed: run tools/install-test-services"
    environment = {
        "PATH": os.defpath,
        "HOME": str(_CACHE.parent),
        "GOCACHE": str(_CACHE),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    done = subprocess.run([go, *words], cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {words[0]}: {done.stderr}"
