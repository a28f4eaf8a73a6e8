"""A configuration as authors try it: everything that decides, built without keys, stores or servers."""

from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.app.build import build_access, build_limits, build_provider, build_resource, build_surroundings
from agen_authz.app.policies import build_policy
from agen_authz.config import Config, Loaded
from agen_authz.core.decide import PolicySet
from agen_authz.core.http.context import Surroundings
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Provider
from agen_authz.core.policy.table import Policy, compile_policies


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What a configuration decides by.

    Args:
        policies: every policy by its name, disabled ones too.
        tenants: policies that tenants add.
    """

    config: Config
    version: str
    sets: PolicySet
    providers: Mapping[str, Provider]
    surroundings: Surroundings
    limits: BodyLimits
    policies: Mapping[str, Policy]
    tenants: Mapping[str, tuple[Policy, ...]]


def build_draft(loaded: Loaded) -> Draft:
    """Build a draft from a checked configuration."""
    config = loaded.config
    providers = {provider.name: build_provider(provider) for provider in config.providers}
    resources = {resource.name: build_resource(config, resource, providers) for resource in config.resources}
    policies = tuple(build_policy(policy) for policy in config.policies)
    tenants = {name: tuple(map(build_policy, tenant.policies)) for name, tenant in (config.tenants or {}).items()}
    everyone = [*policies, *(policy for held in tenants.values() for policy in held)]
    return Draft(
        config=config,
        version=loaded.version,
        sets=PolicySet(loaded.version, resources, build_access(config), compile_policies(policies, tenants)),
        providers=providers,
        surroundings=build_surroundings(config),
        limits=build_limits(config),
        policies={policy.name: policy for policy in everyone},
        tenants=tenants,
    )
