"""Checks of scopes, in resources and in policies."""

import re

from agen_authz.config.finding import Findings
from agen_authz.config.scope import Scope
from agen_authz.config.tree import Path

# RFC 6749 section 3.3; what stands in a challenge between quotes may hold no more.
WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def check_scope(findings: Findings, path: Path, scope: Scope) -> None:
    """Check that a scope, and what is asked for it, are words of RFC 6749."""
    named = [(path, scope)] if isinstance(scope, str) else [
        ((*path, "name"), scope.name), ((*path, "request_as"), scope.request_as)
    ]  # fmt: skip
    for place, word in named:
        if not WORD.fullmatch(word):
            findings.add(place, "not a scope (RFC 6749 section 3.3)", "write one word without quotes")
