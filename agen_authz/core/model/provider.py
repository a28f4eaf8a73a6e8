"""An OpenID provider as configured, and what is revoked."""

from dataclasses import dataclass

from agen_authz.core.model.value import Issuer

# In an issuer, this is the place of the token's tenant, which this claim names (Entra).
ANY_TENANT, TENANT_CLAIM = "{tenantid}", "tid"


@dataclass(frozen=True, slots=True)
class ClaimPaths:
    """Where a provider keeps what we read: each a tuple of candidate paths, the first that is there counts.

    `keyed` names those of `roles`, `permissions` and `groups` that are the keys of an object.
    """

    subject: tuple[tuple[str, ...], ...]
    roles: tuple[tuple[str, ...], ...]
    permissions: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    email: tuple[tuple[str, ...], ...]
    email_verified: tuple[tuple[str, ...], ...]
    client: tuple[tuple[str, ...], ...]
    scopes: tuple[tuple[str, ...], ...]
    tenant: tuple[tuple[str, ...], ...]
    country: tuple[tuple[str, ...], ...]
    keyed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider and what it may speak for; None in `tenants` or `roles` means any.

    `issuer` may hold `ANY_TENANT`: then `tenants` lists the tenants whose issuers are accepted.
    """

    name: str
    issuer: Issuer
    advertised_issuer: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    leeway_s: float
    max_token_age_s: float | None
    tenants: frozenset[str] | None
    roles: frozenset[str] | None
    claims: ClaimPaths


@dataclass(frozen=True, slots=True)
class Revoked:
    """What is refused at once, of every provider."""

    kids: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    jti: frozenset[str] = frozenset()
