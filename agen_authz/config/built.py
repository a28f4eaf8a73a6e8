"""What is configured and not built yet, and what weakens: nothing configured is ever silently ignored."""

from agen_authz.config.loaded import Loaded
from agen_authz.config.model import Config
from agen_authz.config.reading.tree import Path, spell
from agen_authz.core.errors import Problem

# Keys whose capability does not exist yet, and the values that ask for nothing.
UNBUILT: dict[Path, tuple[object, ...]] = {
    ("hooks",): ((),),
    ("audit", "arguments"): ("digest",),
    ("audit", "chain"): (False,),
    ("audit", "checkpoint_key_file"): (None,),
    ("audit", "spool"): (),
    ("audit", "on_full"): ("deny",),
    ("telemetry", "traces"): (None,),
}
_CURE = "leave it out until it is"


def unbuilt(loaded: Loaded) -> list[Problem]:
    """List every key that the file sets to something that this version cannot do."""
    found = []
    for path, harmless in UNBUILT.items():
        if loaded.is_written(*path) and _value_at(loaded.config, path) not in harmless:
            found.append(_problem(loaded, path))
    for index, sink in enumerate(loaded.config.audit.sinks):
        if (sink.type, sink.format) != ("stdout", "json"):
            found.append(_problem(loaded, ("audit", "sinks", index), "use the sink of type stdout and format json"))
    return found


def _problem(loaded: Loaded, path: Path, cure: str = _CURE) -> Problem:
    return Problem(str(loaded.file), loaded.line_of(*path), spell(path), "not available yet in this version", cure)


def _value_at(config: Config, path: Path) -> object:
    value: object = config
    for key in path:
        value = getattr(value, str(key))
    return value


def weakened(config: Config) -> list[str]:
    """List the settings that make this sidecar weaker than its defaults would."""
    server = config.server
    named: list[tuple[str, bool]] = [
        ("server.insecure_plaintext", server.insecure_plaintext),
        ("server.insecure_accept_text_bodies", server.insecure_accept_text_bodies),
        ("server.metadata_key_file", server.metadata_key_file is None),
        ("providers.insecure_issuer", any(provider.insecure_issuer for provider in config.providers)),
        ("resources.insecure_unsigned", any(resource.insecure_unsigned for resource in config.resources)),
        ("resources.unmapped", any(resource.unmapped == "authenticated" for resource in config.resources)),
        ("resources.forward_token", any(resource.forward_token for resource in config.resources)),
        ("data_protection.on_failure", any(rule.on_failure == "pass" for rule in config.data_protection)),
        ("data_protection.binary", any(rule.binary == "pass" for rule in config.data_protection)),
        ("hooks.on_failure", any(hook.on_failure == "pass" for hook in config.hooks)),
        ("approvals.on_timeout", any(flow.on_timeout == "approve" for flow in config.approvals.flows)),
        ("approvals.requester_may_approve", any(flow.requester_may_approve for flow in config.approvals.flows)),
        ("audit.on_full", config.audit.on_full == "drop"),
    ]
    return [setting for setting, is_weak in named if is_weak]
