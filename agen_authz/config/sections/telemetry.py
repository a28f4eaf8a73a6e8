"""`telemetry`: traces."""

from pydantic import Field

from agen_authz.config.part.url import is_web_url
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Section


class Telemetry(Section):
    """OpenTelemetry traces."""

    traces: Line | None = Field(None, description="The OTLP endpoint that traces are sent to.")


def check_telemetry(findings: Findings, telemetry: Telemetry) -> None:
    """Check where traces go."""
    traces = telemetry.traces
    if traces is not None and not is_web_url(traces):
        findings.add(("telemetry", "traces"), "not the URL of a collector", "write http://host:4317")
