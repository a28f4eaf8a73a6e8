"""The stage that a request has reached, built from what is known of it."""

from agen_authz.core.http.route import Route
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.model import NOWHERE, Call, Context, Request
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.stage import Arrived, Known, Read, Received, Routed, Stage
from tests.rules import build_rules


def reach(
    request: Request | None = None,
    route: Route | None = None,
    rendered: RenderedPrincipal | None = None,
    call: Call | None = None,
    context: Context = NOWHERE,
    *,
    request_id: str = "r",
    rules: RuleSet | None = None,
) -> Stage:
    """Build the last stage whose value is given, and those before it."""
    arrived = Arrived(rules or build_rules(), request_id, 0.0, 0.0)
    if request is None:
        return arrived
    received = Received(arrived, request)
    if route is None:
        return received
    routed = Routed(received, route)
    if rendered is None:
        return routed
    known = Known(routed, rendered)
    return known if call is None else Read(known, call, context)
