"""Scopes: one word, or one for the token and another one for who asks; in resources and in policies."""

from typing import TypeAlias

from pydantic import Field

from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Section
from agen_authz.config.reading.tree import Path
from agen_authz.core.identity.scope import is_scope


class RequestedScope(Section):
    """A scope that clients must ask for under another name than tokens have."""

    name: Line = Field(description="The name in the token, such as mcp.tools in Entra's `scp`.")
    request_as: Line = Field(description="The name that clients ask for, such as api://ID/mcp.tools.")


Scope: TypeAlias = Line | RequestedScope


def name_of(scope: Scope) -> str:
    """Return what a token holds."""
    return scope if isinstance(scope, str) else scope.name


def request_of(scope: Scope) -> str:
    """Return what clients ask for."""
    return scope if isinstance(scope, str) else scope.request_as


def check_scope(findings: Findings, path: Path, scope: Scope) -> None:
    """Check that a scope, and what is asked for it, are words of RFC 6749."""
    named = [(path, scope)] if isinstance(scope, str) else [
        ((*path, "name"), scope.name), ((*path, "request_as"), scope.request_as)
    ]  # fmt: skip
    for place, word in named:
        if not is_scope(word):
            findings.add(place, "not a scope (RFC 6749 section 3.3)", "write one word without quotes")
