"""The rules of the chart, and the tools that try them: what promtool and Prometheus are asked."""

import shutil
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "helm" / "agen-authz" / "files" / "alerts.yaml"
CASES = sorted(Path(__file__).resolve().parent.glob("*.yaml"))


def load_rules() -> list[dict[str, Any]]:
    """Load every rule."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def load_cases() -> list[dict[str, Any]]:
    """Load every test of the rules."""
    return [case for path in CASES for case in yaml.safe_load(path.read_text("utf-8"))["tests"]]


def find_command(name: str) -> str:
    """Find a command of Prometheus' package.

    Raises:
        AssertionError: it is not installed.
    """
    found = shutil.which(name)
    assert found is not None, f"`{name}` is not installed: run tools/install-prometheus"
    return found
