"""The rule set of a worker: every worker builds the same one from the same configuration."""

from agen_authz.app.state import OpenStore
from agen_authz.build.ruleset import build_rules
from agen_authz.config import Loaded
from agen_authz.core.digest import off_word
from agen_authz.core.ruleset import RuleSet


def build_worker_rules(loaded: Loaded, state: OpenStore, metadata_key: bytes) -> RuleSet:
    """Build what a worker decides by.

    Args:
        metadata_key: what the supervisor drew; that of `server.metadata_key_file` comes before it.
    """
    return build_rules(
        loaded.config,
        version=loaded.version,
        digest_key=state.digest_key,
        # INVARIANT: of the file's key alone. `envoy-config` has to know the word, and cannot know a random key.
        off_word=off_word(loaded.secrets.metadata_key),
        metadata_key=loaded.secrets.metadata_key or metadata_key,
        signing_keys=loaded.secrets.signing_keys,
        masking_keys=loaded.secrets.masking_keys,
        compiled=loaded.conditions,
    )
