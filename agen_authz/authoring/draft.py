"""A configuration as authors try it: everything that decides, built without keys, stores or servers."""

from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.build.approval import build_flows
from agen_authz.build.policy import build_policy
from agen_authz.build.protection import build_target
from agen_authz.build.ruleset import build_provider, build_rules
from agen_authz.config import Config, Loaded
from agen_authz.core.model import Provider
from agen_authz.core.policy.table import Policy
from agen_authz.core.ruleset import RuleSet


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What a configuration decides by.

    Args:
        policies: every policy by its name, disabled ones too.
        tenants: policies that tenants add.
        protections: every data-protection rule by its name, as what says which calls it is about; disabled ones too.
    """

    config: Config
    rules: RuleSet
    providers: Mapping[str, Provider]
    policies: Mapping[str, Policy]
    tenants: Mapping[str, tuple[Policy, ...]]
    protections: Mapping[str, Policy]


def build_draft(loaded: Loaded) -> Draft:
    """Build a draft from a checked configuration; it signs nothing and records nothing."""
    config, compiled = loaded.config, loaded.conditions
    flows = build_flows(config)
    policies = [build_policy(policy, compiled, flows) for policy in config.policies]
    tenants = {
        name: tuple(build_policy(policy, compiled, flows) for policy in tenant.policies)
        for name, tenant in (config.tenants or {}).items()
    }
    everyone = [*policies, *(policy for held in tenants.values() for policy in held)]
    return Draft(
        config=config,
        rules=build_rules(
            config,
            version=loaded.version,
            digest_key=b"",
            off_word="",
            metadata_key=b"",
            signing_keys=None,
            compiled=compiled,
        ),
        providers={provider.name: build_provider(provider) for provider in config.providers},
        policies={policy.name: policy for policy in everyone},
        tenants=tenants,
        protections={rule.name: build_target(rule, compiled) for rule in config.data_protection},
    )
