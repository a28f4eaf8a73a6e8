"""`make kube-test`: the chart on a real API server, and its policies with the real Envoy Gateway and istiod."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.kube.chart import run_chart
from tools.kube.command import ROOT

_HERE = ROOT / "tools" / "kube"
# What each part runs, besides the API server.
_PARTS = {"chart": (), "envoy-gateway": ("envoy-gateway",), "istio": ("pilot-discovery",)}
_MODULES = {"envoy-gateway": "tools.kube.gateway", "istio": "tools.kube.mesh"}


def main() -> int:
    """Build what is not built yet, and run every part; 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=_PARTS, help="run one part")
    parser.add_argument("--crds", type=Path, help="a folder with YAML files of custom resource definitions")
    told = parser.parse_args()
    parts = [told.only] if told.only else list(_PARTS)
    programs = ["kube-apiserver", *(program for part in parts for program in _PARTS[part])]
    subprocess.run([str(_HERE / "build"), *programs], check=True)
    failed = [part for part in parts if not _is_good(part, told.crds)]
    print(f"kube-test: failed: {', '.join(failed)}" if failed else f"kube-test: passed: {', '.join(parts)}")
    return 1 if failed else 0


def _is_good(part: str, crds: Path | None) -> bool:
    begun = time.monotonic()
    if part == "chart":
        is_good = run_chart(crds) == 0
    elif crds is None:
        print(f"{part}: not run: `--crds FOLDER` names no custom resources")
        return True
    else:
        words = [str(_HERE / "alone"), sys.executable, "-m", _MODULES[part], str(crds)]
        is_good = subprocess.run(words, check=False, cwd=ROOT).returncode == 0
    print(f"{part}: {time.monotonic() - begun:.0f} s", flush=True)
    return is_good


if __name__ == "__main__":
    sys.exit(main())
