"""Secrets come from files and variables, never from the configuration itself, and are shown nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agen_authz.config.model import Config
from agen_authz.config.tree import Path as KeyPath
from agen_authz.config.tree import Tree, spell
from agen_authz.core.errors import Problem

_MIN_KEY_BYTES = 32
_MAX_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was read; nothing of it is in its repr."""

    metadata_key: bytes | None = field(default=None, repr=False)
    store_key: bytes | None = field(default=None, repr=False)
    signing_keys: Mapping[str, tuple[tuple[str, bytes], ...]] = field(default_factory=dict, repr=False)


def read_secrets(config: Config, tree: Tree, file: str, environ: Mapping[str, str]) -> tuple[Secrets, list[Problem]]:
    """Read every secret that the configuration names; what is missing or too short is a problem."""
    reader = _Reader(tree, file)
    if config.store.url_env is not None and not environ.get(config.store.url_env):
        reader.note(("store", "url_env"), "the variable is not set", "set it, or use `url_file`")
    metadata_key = reader.read(("server", "metadata_key_file"), config.server.metadata_key_file)
    store_key = reader.read(("store", "encryption_key_file"), config.store.encryption_key_file)
    signing: dict[str, tuple[tuple[str, bytes], ...]] = {}
    for index, resource in enumerate(config.resources):
        keys = []
        for position, key in enumerate(resource.signing_keys or ()):
            path = ("resources", index, "signing_keys", position, "secret_file")
            keys.append((key.id, reader.read(path, key.secret_file) or b""))
        signing[resource.name] = tuple(keys)
    reader.refuse_shared(signing)
    return Secrets(metadata_key, store_key, signing), reader.problems


class _Reader:
    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self.problems: list[Problem] = []

    def note(self, path: KeyPath, message: str, cure: str) -> None:
        self.problems.append(Problem(self._file, self._tree.line_of(path), spell(path), message, cure))

    def read(self, path: KeyPath, name: str | None) -> bytes | None:
        """Read one key file: its bytes less one trailing newline."""
        if name is None:
            return None
        try:
            with Path(name).open("rb") as stream:
                raw = stream.read(_MAX_SECRET_BYTES + 1)
        except OSError as exc:
            self.note(path, f"cannot be read: {exc.strerror}", "create the file, or check with `--no-secrets`")
            return None
        key = raw.removesuffix(b"\n")
        if len(raw) > _MAX_SECRET_BYTES:
            self.note(path, "larger than 64 KiB", "name a file that holds nothing but the key")
        elif len(key) < _MIN_KEY_BYTES:
            self.note(
                path, f"the key is shorter than {_MIN_KEY_BYTES} bytes", "generate one: openssl rand -out FILE 32"
            )
        return key

    def refuse_shared(self, signing: Mapping[str, tuple[tuple[str, bytes], ...]]) -> None:
        """Refuse one key's bytes under two resources: one backend could then forge to the other."""
        owners: dict[bytes, str] = {}
        for name, keys in signing.items():
            for identifier, secret in keys:
                owner = owners.setdefault(secret, name) if secret else name
                if owner != name:
                    self.note(
                        ("resources",),
                        f"signing key `{identifier}` of `{name}` has the bytes of a key of `{owner}`",
                        "generate a key of its own for each resource",
                    )
