"""`audit`: evidence, and where it goes."""

from typing import Literal

from pydantic import Field

from agen_authz.config.part.url import is_web_url, split_address
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Name, Section
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import Bytes, Count

# What a sink of each type needs, and what it may have besides.
_NEEDED: dict[str, tuple[str, ...]] = {
    "stdout": (), "file": ("path",), "otlp": ("endpoint",), "syslog": ("address",), "splunk_hec": ("url", "token_file"),
    "https": ("url",),
}  # fmt: skip
_MAY_HAVE: dict[str, tuple[str, ...]] = {
    "stdout": (), "file": ("rotate",), "otlp": ("ca_file",), "syslog": ("tls", "ca_file"),
    "splunk_hec": ("ca_file",), "https": ("secret_file", "ca_file"),
}  # fmt: skip
_OF_TYPES = ("path", "rotate", "endpoint", "address", "tls", "ca_file", "url", "token_file", "secret_file")


class Spool(Section):
    """The directory in which events wait for their sinks."""

    dir: Line = Field("/var/lib/agen/audit", description="The directory.")
    max_bytes: Bytes = Field(1 << 30, description="How many bytes may wait there.")


class Sink(Section):
    """One destination of events."""

    name: Name = Field(description="The sink's name in metrics.")
    type: Literal["stdout", "file", "otlp", "syslog", "splunk_hec", "https"] = Field(
        description="The kind of destination."
    )
    format: Literal["json", "ocsf", "cef"] = Field("json", description="How events are written.")
    required: bool = Field(False, description="True if a decision waits until the sink has its event.")
    path: Line | None = Field(None, description="file: the path of the file.")
    rotate: Bytes | None = Field(None, description="file: the size at which a new file begins.")
    endpoint: Line | None = Field(None, description="otlp: the URL that events are sent to.")
    address: Line | None = Field(None, description="syslog: the server's host:port.")
    tls: bool | None = Field(None, description="syslog: true for TLS.")
    ca_file: Line | None = Field(
        None, description="otlp, syslog, splunk_hec, https: certificates (PEM) of the CAs to trust."
    )
    url: Line | None = Field(None, description="splunk_hec, https: the URL that events are sent to.")
    token_file: Line | None = Field(None, description="splunk_hec: the file with the token.")
    secret_file: Line | None = Field(None, description="https: the file with the key that signs the events.")


class Audit(Section):
    """The audit events."""

    arguments: Literal["digest", "masked"] = Field("digest", description="How events show arguments.")
    chain: bool = Field(True, description="True if each event contains the hash of the one before it.")
    checkpoint_key_file: Line | None = Field(
        None, description="The file with the key that signs checkpoints of the chain (Ed25519)."
    )
    spool: Spool = Field(Spool(), description="Where events wait.")
    denials_per_second: Count = Field(
        50,
        description="How many events a second requests without a verified caller get; further ones are counted in one"
        " event.",
    )
    on_full: Literal["deny", "drop"] = Field(
        "deny", description="What happens if the spool of a required sink is full."
    )
    sinks: tuple[Sink, ...] = Field(
        (Sink(name="stdout", type="stdout"),),
        description="The destinations of events; default: one sink of type stdout.",
    )


def check_audit(findings: Findings, audit: Audit) -> None:
    """Check where events go."""
    sinks = audit.sinks
    findings.refuse_empty(("audit", "sinks"), sinks, "at least one sink")
    findings.refuse_twins(("audit", "sinks"), "name", (sink.name for sink in sinks), "sinks")
    for index, sink in enumerate(sinks):
        _check_keys(findings, ("audit", "sinks", index), sink)
        _check_places(findings, ("audit", "sinks", index), sink)


def _check_keys(findings: Findings, path: Path, sink: Sink) -> None:
    needed = _NEEDED[sink.type]
    for key in _OF_TYPES:
        is_given = getattr(sink, key) is not None
        if key in needed and not is_given:
            findings.add(path, f"a sink of type {sink.type} needs `{key}`", f"add `{key}`")
        if is_given and key not in needed + _MAY_HAVE[sink.type]:
            findings.add((*path, key), f"a sink of type {sink.type} has no `{key}`", "remove it")


def _check_places(findings: Findings, path: Path, sink: Sink) -> None:
    for key, url, schemes in (
        ("endpoint", sink.endpoint, ("https", "http")),
        ("url", sink.url, ("https",)),
    ):
        if url is not None and not is_web_url(url, schemes):
            findings.add((*path, key), "not a URL that events can go to", f"write {schemes[0]}://host, no user")
    if sink.address is not None and split_address(sink.address) is None:
        findings.add((*path, "address"), "not an address", "write host:port, such as siem.example.com:6514")
