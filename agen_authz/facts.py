"""Every read before the decision: the caller, and what is known about the call."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from msgspec import structs

from agen_authz.core.approval.task import is_own_task
from agen_authz.core.errors import Rejected, Unavailable
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.jws import (
    MAX_TOKEN_CHARS,
    UnverifiedToken,
    describe_unverified,
    guess_issuers,
    read_bearer,
    read_token,
)
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.identity.token import admit_principal, find_provider, verify_token
from agen_authz.core.model import NO_TASK, Call, Facts, Owner, Provider, Resource, Session, SessionId
from agen_authz.core.quote import quote_all
from agen_authz.core.reason import Reason
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.session import open_session
from agen_authz.core.stage import Known, Read, Refused, Routed, refuse_token
from agen_authz.outside import Ports
from agen_authz.token_cache import Vouched
from agen_authz.waiting import Deadline
from agen_authz.wire.identity import render_principal

# "Bearer ", and more spaces than any client sends.
_MAX_CREDENTIAL_CHARS = MAX_TOKEN_CHARS + 64
# The token is not what this provider signs; another provider of the resource may have signed it.
_NOT_ITS = frozenset({Reason.TOKEN_SIGNATURE, Reason.TOKEN_ALGORITHM, Reason.TOKEN_ISSUER})


def recognize(credential: bytes | None, ports: Ports) -> Owner | None:
    """Recognize a caller whose token was verified before; only the order of calls depends on it."""
    if credential is None:
        return None
    known = ports.tokens.find(hashlib.sha256(credential).digest())
    if known is None:
        return None
    principal = known.rendered.principal
    return Owner(principal.issuer, principal.subject)


async def identify(routed: Routed, ports: Ports, deadline: Deadline) -> Known | Refused:
    """Find out who calls, and whether the token may be used at this resource now.

    Args:
        deadline: until when a provider may be waited for.

    Raises:
        Unavailable: the provider's keys cannot be fetched, or not by the deadline, so the token cannot be verified;
            or too many callers wait already.
    """
    resource = routed.route.resource
    credential = routed.received.request.headers.get("authorization")
    if credential is None:
        return refuse_token(routed, Rejected(Reason.TOKEN_MISSING))
    found = await _identify(credential, resource, routed.received.arrived.rules, ports, deadline)
    if isinstance(found, Rejected):
        ports.refusals.note(resource.name, found, ports.clock.elapsed())
        return refuse_token(routed, found)
    return Known(routed, found)


async def _identify(
    credential: str, resource: Resource, rules: RuleSet, ports: Ports, deadline: Deadline
) -> RenderedPrincipal | Rejected:
    if len(credential) > _MAX_CREDENTIAL_CHARS:
        return Rejected(Reason.TOKEN_MALFORMED, f"longer than {MAX_TOKEN_CHARS} characters")
    # The whole value names the entry: one that was read before needs no reading.
    digest = hashlib.sha256(credential.encode("utf-8")).digest()
    vouched = _recall(digest, resource, ports)
    if vouched is None:
        fresh = await _vouch(credential, digest, resource, ports, deadline, keeps_claims=rules.keeps_claims)
        if isinstance(fresh, Rejected):
            return fresh
        vouched = fresh
    principal = admit_principal(vouched.token, vouched.provider, resource, revoked=rules.revoked, now=ports.clock.now())
    return principal if isinstance(principal, Rejected) else vouched.rendered


def _recall(digest: bytes, resource: Resource, ports: Ports) -> Vouched | None:
    known = ports.tokens.find(digest)
    if known is None or resource.providers.get(known.provider.issuer) is not known.provider:
        return None
    if ports.keys.find_key(known.provider.name, known.token.kid, known.algorithm) is known.key:
        return known
    ports.tokens.forget(digest)
    return None


async def _vouch(
    credential: str, digest: bytes, resource: Resource, ports: Ports, deadline: Deadline, *, keeps_claims: bool
) -> Vouched | Rejected:
    raw = read_bearer(credential)
    if isinstance(raw, Rejected):
        return raw
    if credential != (usual := f"Bearer {raw}"):
        # Remembered once, however its header is written.
        digest = hashlib.sha256(usual.encode("utf-8")).digest()
        known = _recall(digest, resource, ports)
        if known is not None:
            return known
    token = read_token(raw)
    if isinstance(token, Rejected):
        return token
    vouched = await _verify(token, resource, ports, deadline)
    if isinstance(vouched, Rejected):
        return vouched
    if not keeps_claims:
        vouched = _without_claims(vouched)
    ports.tokens.keep(digest, vouched, ports.clock.now())
    return vouched


async def _verify(token: UnverifiedToken, resource: Resource, ports: Ports, deadline: Deadline) -> Vouched | Rejected:
    """Find the provider of this resource whose key verifies a token.

    1. every provider that accepts the algorithm and has a key of that `kid` in memory is tried: two providers may
       publish the same `kid`, or even the same key; the issuer must be the one whose key verified
    2. if none of them signed it, the provider that the unverified `iss` names may be asked for the key; no other is
    """
    # 1.
    refusals: dict[str, Rejected] = {}
    accepting = [each for each in resource.providers.values() if token.algorithm in each.algorithms]
    for provider in accepting:
        tried = _try_known(token, provider, ports)
        if isinstance(tried, Vouched):
            return tried
        if tried is not None:
            refusals[provider.name] = tried
    known = next((each for each in refusals.values() if each.reason not in _NOT_ITS), None)
    if known is not None:
        return known
    # 2.
    issuers = guess_issuers(token)
    said = describe_unverified(token, issuers)
    named = next(filter(None, (find_provider(resource, issuer) for issuer in issuers)), None)
    if not accepting or (named is not None and named not in accepting):
        return _refuse_algorithm(said, resource.providers.values() if named is None else (named,))
    if named is None:
        # A provider whose key verified has seen the true issuer.
        seen = next((each for each in refusals.values() if each.reason is Reason.TOKEN_ISSUER), None)
        return seen or _refuse_issuer(said, resource)
    if named.name in refusals:
        refusal = refusals[named.name]
        return refusal if refusal.detail else Rejected(refusal.reason, said)
    return await _fetch_and_try(token, named, said, ports, deadline)


def _try_known(token: UnverifiedToken, provider: Provider, ports: Ports) -> Vouched | Rejected | None:
    key = ports.keys.find_key(provider.name, token.kid, token.algorithm)
    return None if key is None else _try(token, key, provider)


async def _fetch_and_try(
    token: UnverifiedToken, provider: Provider, said: str, ports: Ports, deadline: Deadline
) -> Vouched | Rejected:
    fetch = partial(ports.keys.fetch_key, provider.name, token.kid, token.algorithm)
    try:
        key = await ports.waiting.wait_until(deadline, fetch)
    except TimeoutError as exc:
        # The event names the provider that the call has waited for.
        raise Unavailable(Reason.DEADLINE, provider.name) from exc
    if key is None:
        return Rejected(Reason.TOKEN_KEY_UNKNOWN, f"{said}; provider `{provider.name}` publishes no such key")
    tried = _try(token, key, provider)
    return Rejected(tried.reason, said) if isinstance(tried, Rejected) and not tried.detail else tried


def _try(token: UnverifiedToken, key: PublicKey, provider: Provider) -> Vouched | Rejected:
    verified = verify_token(token, key, provider)
    if isinstance(verified, Rejected):
        return verified
    return Vouched(provider, key, token.algorithm, verified, render_principal(verified.principal))


def _refuse_algorithm(said: str, providers: Iterable[Provider]) -> Rejected:
    wanted = quote_all({algorithm for provider in providers for algorithm in provider.algorithms})
    return Rejected(Reason.TOKEN_ALGORITHM, f"{said}; wanted one of {wanted}")


def _refuse_issuer(said: str, resource: Resource) -> Rejected:
    wanted = quote_all(provider.issuer for provider in resource.providers.values())
    return Rejected(Reason.TOKEN_ISSUER, f"{said}; wanted one of {wanted}")


def _without_claims(vouched: Vouched) -> Vouched:
    # Nested claims take a hundred times what they take in a token.
    principal = replace(vouched.token.principal, claims=None)
    return replace(
        vouched,
        token=replace(vouched.token, principal=principal),
        rendered=replace(vouched.rendered, principal=principal),
    )


async def gather(read: Read, ports: Ports) -> Facts:
    """Read what the decision needs besides the call itself.

    Raises:
        Unavailable: the store does not answer, or too many calls wait, and the call names tasks.
        TimeoutError: the call's deadline has passed, and the call names tasks.
    """
    call, received, now = read.call, read.known.routed.received, ports.clock.now()
    rules = received.arrived.rules
    session = None if call.session_id is None else _find_session(read, call.session_id, rules.session_key)
    facts = Facts(now, session, read.context, received.request.authority)
    if call.task_ids:
        return await _add_tasks(facts, read, ports)
    return _add_pinned(facts, call, rules, ports) if call.method == "tools/call" and call.targets else facts


def _find_session(read: Read, session_id: SessionId, key: bytes) -> Session | None:
    principal = read.known.principal
    return open_session(session_id, read.call.server, Owner(principal.issuer, principal.subject), key)


async def _add_tasks(facts: Facts, read: Read, ports: Ports) -> Facts:
    """Add what is known of the tasks that a call names; the tool of each must be one that pinning lets pass."""
    call, arrived = read.call, read.known.routed.received.arrived
    deadline = Deadline(ports.clock, arrived.until)
    # Not on the thread that decides: the store answers on the event loop.
    found = [
        None
        if is_own_task(each)
        else await ports.waiting.wait_until(deadline, partial(ports.tasks.find, call.server, each, facts.now))
        for each in call.task_ids
    ]
    tasks = tuple(each or NO_TASK for each in found)
    catalogue, tools = ports.catalogue.snapshot, list(dict.fromkeys(each.tool for each in tasks))
    refused = (catalogue.refuse_call(call.server, tool, arrived.rules.pinning) for tool in tools)
    unpinned = next((each for each in refused if each is not None), None)
    # Conditions are asked of each tool with the same facts: of several tools nothing is known.
    annotations = catalogue.find_annotations(call.server, tools[0]) if len(tools) == 1 else None
    return structs.replace(facts, tasks=tasks, unpinned=unpinned, annotations=annotations)


def _add_pinned(facts: Facts, call: Call, rules: RuleSet, ports: Ports) -> Facts:
    """Add what is pinned of the tool that a call names."""
    catalogue, tool = ports.catalogue.snapshot, call.targets[0].name
    known = catalogue.find(call.server, tool)
    fit = None
    if known is not None and known.approved and rules.checks_arguments:
        fit = ports.schemas.compile((each.digest, each.definition) for each in known.approved)
    unpinned = catalogue.refuse_call(call.server, tool, rules.pinning)
    annotations = None if known is None else known.annotations
    if unpinned is None and fit is None and annotations is None:
        return facts
    return structs.replace(facts, unpinned=unpinned, fit=fit, annotations=annotations)
