"""Scopes as the configuration writes them: one word, or one for the token and another one for who asks."""

from typing import TypeAlias

from pydantic import Field

from agen_authz.config.section import Line, Section


class RequestedScope(Section):
    """A scope that clients ask for by another name than tokens have it under."""

    name: Line = Field(description="What the token holds, such as mcp.tools in Entra's `scp`.")
    request_as: Line = Field(description="What clients ask for, such as api://ID/mcp.tools.")


Scope: TypeAlias = Line | RequestedScope


def name_of(scope: Scope) -> str:
    """Return what a token holds."""
    return scope if isinstance(scope, str) else scope.name


def request_of(scope: Scope) -> str:
    """Return what clients ask for."""
    return scope if isinstance(scope, str) else scope.request_as
