"""A report as people and programs read it."""

import json
from collections import Counter
from dataclasses import asdict

from agen_authz.envoy.check.report import Report


def render_text(report: Report, file: str) -> str:
    """Render one line per finding and hint, then what was checked and what was not."""
    lines = [
        f"{file}:{found.line}: {found.severity} {found.id}: {found.risk}; {found.cure}"
        + (f" (`{found.place}`)" if found.place else "")
        for found in (*report.findings, *report.hints)
    ]
    lines.extend(f"{file}: not checked: {part}" for part in report.passed_over)
    counted = Counter(report.checked)
    lines.append(f"{file}: checked: {', '.join(f'{count} {kind}' for kind, count in counted.items()) or 'nothing'}")
    severities = Counter(found.severity for found in report.findings)
    total = ", ".join(f"{count} {severity}" for severity, count in severities.items())
    hints = f", {len(report.hints)} hint" if report.hints else ""
    lines.append(f"{file}: {total or 'no findings'}{hints}")
    return "\n".join(lines) + "\n"


def render_json(report: Report, file: str) -> str:
    """Render the report as one JSON object."""
    return json.dumps({
        "file": file,
        "ok": not report.findings,
        "findings": [asdict(found) for found in report.findings],
        "hints": [asdict(found) for found in report.hints],
        "checked": report.checked,
        "not_checked": report.passed_over,
    })  # fmt: skip
