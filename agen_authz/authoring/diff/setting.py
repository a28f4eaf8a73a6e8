"""What a configuration says of callers besides rules and policies, compared with another: whom it believes, and what.

For each setting it is known whether another value lets more in. If that cannot be computed from the words (claims
that are
read elsewhere, ranges that conditions lean on), a change is taken to widen.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from agen_authz.authoring.draft import Draft
from agen_authz.config import model as conf
from agen_authz.config.built import weakened
from agen_authz.config.model import Limits, Store
from agen_authz.config.part.scope import name_of
from agen_authz.core.model import State
from agen_authz.core.policy.table import list_reads

_Widens: TypeAlias = Callable[[Any, Any], bool]
_Row: TypeAlias = tuple[str, str, str, bool]


def _always(_: Any, __: Any) -> bool:
    return True


def _never(_: Any, __: Any) -> bool:
    return False


def _grows(before: Collection[Any], after: Collection[Any]) -> bool:
    return not set(after) <= set(before)


def _shrinks(before: Collection[Any], after: Collection[Any]) -> bool:
    return _grows(after, before)


def _grows_to_any(before: object, after: object) -> bool:
    # None and the word `any` admit everybody.
    if not isinstance(after, tuple):
        return isinstance(before, tuple)
    return isinstance(before, tuple) and _grows(before, after)


def _is_on(_: Any, after: object) -> bool:
    return bool(after)


def _is_off(_: Any, after: object) -> bool:
    return not after


def _is_more(before: float, after: float) -> bool:
    return after > before


def _is_more_or_endless(before: float | None, after: float | None) -> bool:
    return before is not None and (after is None or after > before)


def _methods_widen(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    # What is denied by name and then no longer named may be allowed by default.
    is_allowed = any(after[name] == "allow" != before.get(name) for name in after)
    return is_allowed or any(before[name] == "deny" and name not in after for name in before)


def _keys_live_longer(before: conf.Jwks, after: conf.Jwks) -> bool:
    # A key that the provider withdraws is believed until the next fetch, and without one until it is stale.
    return after.refresh > before.refresh or after.keep_stale > before.keep_stale


# A key that is not here is taken to widen: one that a later version brings is not forgotten silently.
PROVIDER: dict[str, _Widens] = {
    "advertised_issuer": _never,
    "algorithms": _grows,
    "token_types": _grows,
    "leeway": _is_more,
    "max_token_age": _is_more_or_endless,
    "tenants": _grows_to_any,
    "roles": _grows_to_any,
    "jwks": _keys_live_longer,
    "insecure_issuer": _is_on,
}
RESOURCE: dict[str, _Widens] = {
    "providers": _grows,
    "audiences": _grows,
    "clients": _grows_to_any,
    "require_tenant": _is_off,
    "scopes": lambda before, after: _shrinks(list(map(name_of, before)), list(map(name_of, after))),
    "origins": _grows,
    "unmapped": lambda _, after: bool(after == "authenticated"),
    "methods": _methods_widen,
    "resumable": _is_on,
    "forward_token": _is_on,
    "forward_headers": _grows,
    "signing_keys": _never,
    "insecure_unsigned": _is_on,
}
# Sections that are compared key by key, without the keys that another row compares.
SECTIONS: dict[str, dict[str, _Widens]] = {
    "server": dict.fromkeys(
        ("authz", "proc", "ops", "console", "engine", "filter_workers", "check_timeout", "shutdown_grace"), _never
    ),
    "limits": dict.fromkeys(Limits.model_fields, _never),
    "signing": {"expires": _is_more, "components": _shrinks},
    "store": dict.fromkeys(Store.model_fields, _never),
    "notifications": {},
    "approvals": {},
    "tools": {"filter_lists": _is_off},
    "audit": {},
    "telemetry": {"traces": _never},
}
# What the functions below compare in their own ways; the last two say nothing of callers.
ELSEWHERE = frozenset(
    {"providers", "resources", "revoked", "networks", "trusted_proxies", "country_header", "access", "policies"}
    | {"tenants", "version", "end"}
)
_WHOLE = "configuration"
_REVOKED: dict[str, _Widens] = dict.fromkeys(conf.RevokedEntries.model_fields, _shrinks)


def compare_settings(old: Draft, new: Draft) -> Iterator[_Row]:
    """List what changed: kind, name, change, and whether it lets more in."""
    yield from _compare_named("provider", old.config.providers, new.config.providers, PROVIDER)
    yield from _compare_named("resource", old.config.resources, new.config.resources, RESOURCE)
    for key, lets_in in _compare(old.config.revoked, new.config.revoked, _REVOKED):
        yield _WHOLE, f"revoked.{key}", "changed", lets_in
    yield from _compare_context(old, new)
    yield from _compare_sections(old, new)
    if old.config.access.mapping != new.config.access.mapping:
        yield _WHOLE, "access.mapping", "changed", True
    # What weakens a provider or resource stands with it.
    weak_before, weak_after = (_weakened_servers(draft) for draft in (old, new))
    for setting in sorted(weak_before ^ weak_after):
        is_weak = setting in weak_after
        yield _WHOLE, setting, "weakens" if is_weak else "weakens no more", is_weak
    was, is_now = (draft.config.tenants is not None for draft in (old, new))
    if was != is_now:
        yield _WHOLE, "tenants", "callers need one" if is_now else "callers need none any more", was


def _weakened_servers(draft: Draft) -> set[str]:
    return {setting for setting in weakened(draft.config) if setting.startswith("server.")}


def _compare_named(
    kind: str,
    before: tuple[conf.Provider, ...] | tuple[conf.Resource, ...],
    after: tuple[conf.Provider, ...] | tuple[conf.Resource, ...],
    widens: Mapping[str, _Widens],
) -> Iterator[_Row]:
    was, is_now = ({each.name: each for each in named} for named in (before, after))
    for name in sorted(was.keys() & is_now.keys()):
        for key, lets_in in _compare(was[name], is_now[name], widens):
            yield kind, name, f"{key} changed", lets_in


def _compare(before: Any, after: Any, widens: Mapping[str, _Widens]) -> Iterator[tuple[str, bool]]:
    for key in type(before).model_fields:
        was, is_now = getattr(before, key), getattr(after, key)
        if was != is_now:
            yield key, widens.get(key, _always)(was, is_now)


def _compare_sections(old: Draft, new: Draft) -> Iterator[_Row]:
    for name in type(old.config).model_fields.keys() - ELSEWHERE:
        before, after = getattr(old.config, name), getattr(new.config, name)
        if name not in SECTIONS:
            if before != after:
                yield _WHOLE, name, "changed", True
            continue
        for key, lets_in in _compare(before, after, SECTIONS[name]):
            # `_weakened_servers` has a row for each of these.
            if not key.startswith("insecure_"):
                yield _WHOLE, f"{name}.{key}", "changed", lets_in


def _compare_context(old: Draft, new: Draft) -> Iterator[_Row]:
    # What a condition then says of a caller cannot be computed: it is taken to widen.
    enforced = [policy for policy in old.policies.values() if policy.state is State.ENFORCE]
    leans = {name for policy in enforced for name in list_reads(policy)}
    before, after = old.config.networks, new.config.networks
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield "network", name, "changed", "request.networks" in leans
    if old.config.trusted_proxies != new.config.trusted_proxies:
        reads = {"request.ip", "request.networks", "request.country"}
        yield _WHOLE, "trusted_proxies", "changed", not leans.isdisjoint(reads)
    if old.config.country_header != new.config.country_header:
        # A client that can send the new header says where callers are.
        yield _WHOLE, "country_header", "changed", True
