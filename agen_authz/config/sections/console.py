"""`console`: who may sign in to the approvers' pages."""

from collections.abc import Sequence

from pydantic import Field

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Section
from agen_authz.config.reading.unit import PositiveSeconds


class Holders(Section):
    """Callers who have at least one of these roles."""

    roles: Lines = Field(description="Roles.")


class Console(Section):
    """The approvers' pages."""

    provider: Line = Field(description="Where approvers sign in.")
    client_id: Line = Field(description="The console's client id.")
    client_secret_file: Line = Field(description="The console's client secret.")
    session: PositiveSeconds = Field(8 * 3600.0, description="How long a session lasts.")
    fresh_login: PositiveSeconds = Field(3600.0, description="How recently an approver must have signed in to decide.")
    admins: Holders | None = Field(None, description="Who sees every request.")
    unmask: Holders | None = Field(None, description="Who may see arguments unmasked.")


def check_console(findings: Findings, console: Console | None, providers: Sequence[str], base_url: str | None) -> None:
    """Check who signs in to the console.

    Args:
        providers: their names.
        base_url: `approvals.base_url`.
    """
    if console is None:
        return
    if base_url is None:
        message = "needs `approvals.base_url`: browsers and the provider are sent back there"
        findings.add(("console",), message, "say where approvers open the console", leans_on=(("approvals",),))
    if console.provider not in providers:
        cure = "name one of " + ", ".join(f"`{name}`" for name in providers)
        message = f"unknown provider `{console.provider}`"
        findings.add(("console", "provider"), message, cure, leans_on=(("providers",),))
    for key, holders in (("admins", console.admins), ("unmask", console.unmask)):
        if holders is not None:
            findings.refuse_empty(("console", key, "roles"), holders.roles, "at least one role")
