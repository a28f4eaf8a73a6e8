"""`limits`: bounds of everything that could grow."""

from typing import Annotated

from pydantic import Field

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Section
from agen_authz.config.reading.unit import Bytes, Count, PositiveSeconds


class Limits(Section):
    """Limits of everything that could grow."""

    request_bytes: Bytes = Field(1 << 20, description="The largest request body.")
    response_bytes: Bytes = Field(4 << 20, description="The largest response body that is inspected.")
    json_depth: Annotated[int, Field(ge=1, le=200)] = Field(64, description="How deeply JSON may be nested.")
    json_values: Count = Field(
        50_000,
        description="How many values the JSON of one body may have. They are counted by commas and opening brackets,"
        " before the body is parsed.",
    )
    in_flight: Count = Field(
        1024,
        description="How many Checks may wait to be decided, and how many more may wait for a provider's keys;"
        " further ones are refused.",
    )
    token_cache: Count = Field(20_000, description="How many verified tokens are remembered.")
    token_cache_bytes: Bytes = Field(
        64 << 20, description="About how many bytes the remembered tokens may take; expired tokens are removed first."
    )
    sessions: Count = Field(
        100_000,
        description="How many bound task ids are remembered. If there is no room, the caller with the most entries"
        " loses one.",
    )
    store_timeout: PositiveSeconds = Field(0.25, description="How long one call to the store may take.")


def check_limits(findings: Findings, limits: Limits, check_timeout: float) -> None:
    """Check that a call of the store ends before Envoy stops to wait."""
    if limits.store_timeout > check_timeout:
        cure = "make it shorter, or give Envoy more time"
        leans_on = (("server", "check_timeout"),)
        message = "longer than `server.check_timeout`, which is all that Envoy waits"
        findings.add(("limits", "store_timeout"), message, cure, leans_on=leans_on)
