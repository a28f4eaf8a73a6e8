"""Where authors' calls enter the recipe of Check (core/stage.py): no request arrived, no token was verified."""

from agen_authz.core.http.route import Route
from agen_authz.core.model import Principal, Request, Resource
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.stage import Arrived, Known, Received, Routed
from agen_authz.wire.identity import render_principal


def enter(rules: RuleSet, request: Request, resource: Resource) -> Routed:
    """Enter the recipe with a request whose resource is known."""
    return Routed(Received(Arrived(rules, "", 0.0, 0.0), request), Route(resource, is_metadata=False))


def know(routed: Routed, principal: Principal) -> Known:
    """Go on with a caller who is taken for granted."""
    return Known(routed, render_principal(principal))
