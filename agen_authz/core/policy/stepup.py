"""Step-up: whether a token is strong enough for a call, and what to ask for where it is not (RFC 9470, MCP).

Only the token itself satisfies a demand: its scopes, `acr`, `amr`, and `auth_time` within `max_age`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agen_authz.core.model import Challenge, Principal


@dataclass(frozen=True, slots=True)
class Demand:
    """What a token must show; everything that is given must hold. None means that nothing is asked.

    `scope` is what the token holds, `request_as` what clients ask for if that is another word.
    """

    acr: tuple[str, ...] | None = None
    amr: tuple[str, ...] | None = None
    max_age_s: float | None = None
    scope: str | None = None
    request_as: str | None = None


def is_satisfied(demand: Demand, principal: Principal, *, now: float, leeway_s: float) -> bool:
    """True if a token meets a demand; a token that does not say when the caller authenticated meets no `max_age`."""
    return (
        (demand.scope is None or demand.scope in principal.scopes)
        and (demand.acr is None or principal.acr in demand.acr)
        and (demand.amr is None or not set(demand.amr).isdisjoint(principal.amr or ()))
        and (demand.max_age_s is None or _is_fresh(principal.auth_time, demand.max_age_s, now, leeway_s))
    )


def _is_fresh(auth_time: float | None, max_age_s: float, now: float, leeway_s: float) -> bool:
    return auth_time is not None and -leeway_s <= now - auth_time <= max_age_s + leeway_s


def challenge(demands: Iterable[tuple[Demand, str | None]], principal: Principal) -> Challenge:
    """Put every demand of a call into one challenge; those that were not met come first, each with its message."""
    asked = list(demands)
    scopes = {demand.scope: demand.request_as or demand.scope for demand, _ in asked if demand.scope is not None}
    ages = [demand.max_age_s for demand, _ in asked if demand.max_age_s is not None]
    return Challenge(
        lacks_scope=any(scope not in principal.scopes for scope in scopes),
        scopes=tuple(dict.fromkeys(scopes.values())),
        acr_values=_pick_values([demand.acr for demand, _ in asked if demand.acr is not None]),
        max_age_s=int(min(ages)) if ages else None,
        message=next((message for _, message in asked if message is not None), None),
    )


def _pick_values(wanted: list[tuple[str, ...]]) -> tuple[str, ...]:
    # One value that meets every demand is best; if there is none, the first demand is asked for first.
    if not wanted:
        return ()
    shared = tuple(acr for acr in wanted[0] if all(acr in each for each in wanted))
    return shared or wanted[0]
