"""What was built from what: the statement that goes with a release, in the format of in-toto (SLSA provenance 1.0)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# URNs, because the project has no address that both a builder and a verifier could agree on.
BUILD_TYPE = "urn:agen-authz:make-release:1"
LOCAL_BUILDER = "urn:agen-authz:builder:unattested"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a release comes from: a commit, and the files of it that decide which packages are used."""

    commit: str
    locks: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Builder:
    """What built it: an identity, and the versions of the tools that the bytes depend on."""

    identity: str
    versions: Mapping[str, str]


def digest(content: bytes) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def render_sums(files: Sequence[Path]) -> str:
    """Write the digests as `sha256sum --check` reads them."""
    return "".join(f"{digest(file.read_bytes())}  {file.name}\n" for file in sorted(files))


def render_statement(files: Sequence[Path], source: Source, builder: Builder) -> dict[str, object]:
    """Write the statement about some files; without times, so that the same build makes the same statement."""
    sources = [{"name": "source", "digest": {"gitCommit": source.commit}}]
    locks = [{"name": name, "digest": {"sha256": digest(text)}} for name, text in sorted(source.locks.items())]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": digest(file.read_bytes())}} for file in sorted(files)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"commit": source.commit},
                "internalParameters": dict(sorted(builder.versions.items())),
                "resolvedDependencies": [*sources, *locks],
            },
            "runDetails": {"builder": {"id": builder.identity}},
        },
    }
