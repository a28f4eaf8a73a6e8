"""Images and containers without a daemon: a base made of Debian packages, our image on it, and containers of that."""

import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.stage.process import START_S

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "build" / "image"
BASE = "localhost/agen-authz-base:stand-in"
IMAGE = "localhost/agen-authz:image-test"
# What the real base has besides Debian: Python and pip. The suite has the Python of that base.
SUITE = "trixie"
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
# For machines where containers may not raise limits, and without systemd.
_SETTINGS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
# As in Kubernetes with Pod Security `restricted`, and without a network.
CONFINED = (
    "--network=none",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=256",
    "--memory=512m",
)


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its code."""

    code: int
    out: str


def podman(*words: str) -> Ended:
    """Run podman; standard output and standard error together."""
    told = subprocess.run(
        ["podman", *words],
        check=False,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=START_S,
    )
    return Ended(told.returncode, told.stdout.decode("utf-8", "replace"))


def build() -> None:
    """Build our image on the stand-in for its base."""
    _make_base()
    # Certificates, so that pip can reach an index through whatever this machine needs to reach it.
    options = ("--pull=never", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro")
    subprocess.run(
        [str(ROOT / "tools" / "build-image"), IMAGE, *options], env=_environment() | {"BASE": BASE}, check=True
    )


def _make_base() -> None:
    if podman("image", "exists", BASE).code == 0:
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    packed = KEPT / "base.tar"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(packed)], check=True
    )
    made = podman("import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", str(packed), BASE)
    packed.unlink()
    assert made.code == 0, made.out


def _environment() -> dict[str, str]:
    KEPT.mkdir(parents=True, exist_ok=True)
    settings = KEPT / "containers.conf"
    settings.write_text(_SETTINGS, "utf-8")
    return os.environ | {"CONTAINERS_CONF": str(settings)}  # noqa: TID251 - a child needs the PATH


def read_image(folder: Path) -> tuple[dict[str, object], list[int]]:
    """Read how the image is run, and how many compressed bytes each of its layers has."""
    packed = folder / "image.tar"
    saved = podman("save", "--format", "oci-archive", "--output", str(packed), IMAGE)
    assert saved.code == 0, saved.out
    with tarfile.open(packed) as archive:

        def read(digest: str) -> dict[str, object]:
            content = archive.extractfile(f"blobs/sha256/{digest.partition(':')[2]}")
            assert content is not None
            found: dict[str, object] = json.load(content)
            return found

        index = archive.extractfile("index.json")
        assert index is not None
        manifest = json.loads(json.dumps(read(json.load(index)["manifests"][0]["digest"])))
        config = json.loads(json.dumps(read(manifest["config"]["digest"])))
    packed.unlink()
    return config["config"], [layer["size"] for layer in manifest["layers"]]
