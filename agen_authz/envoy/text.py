"""A typed Envoy configuration as YAML for people: block style, with remarks above the settings that need one."""

import textwrap
from collections.abc import Mapping, Sequence

import yaml
from betterproto2 import Casing
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

# Above the first line that starts so. What the line does is in Envoy's documentation; here is why it is there.
REMARKS = {
    "admin:": "The admin interface shows this whole configuration and can stop Envoy, so it listens on loopback only.",
    "enable_reuse_port:": "A second Envoy, or another program, cannot listen on this port as well and receive a"
    " part of the calls.",
    "per_connection_buffer_limit_bytes:": "Not less than the largest body that Check may receive.",
    "use_remote_address:": (
        "With this and the next setting every client counts as external, so its `x-envoy-*` headers are removed."
    ),
    "normalize_path:": (
        "Paths are normalised before routing and before Check, so Check decides on the path that is forwarded. "
        "Escaped slashes are refused, because servers read them in different ways."
    ),
    "headers_with_underscores_action:": (
        "Such headers are dropped, because frameworks read `agen_subject` as `agen-subject`."
    ),
    "max_stream_duration:": "An open stream can outlive its token by at most this time.",
    "request_timeout:": (
        "The time in which the body must arrive. Answers may stream for as long as max_stream_duration allows."
    ),
    "local_reply_config:": (
        "Envoy's own error texts name addresses and causes. Clients get this text instead, and a time to retry."
    ),
    "response_headers_to_remove:": (
        "Removed from responses of the backend. The www-authenticate header of a denial stays."
    ),
    "prefix_rewrite:": "The match is exact, so this replaces the whole path.",
    "disable_request_body_buffering:": (
        "A request without a token is not buffered: Check gets an empty body and answers before the direct response."
    ),
    "disabled:": "No backend answers here. Check is not asked about a request without a route either.",
    "request_mutations:": (
        "Removed from requests before Check, because Envoy hides some of these from Check but forwards them."
    ),
    "response_mutations:": (
        "Removed from responses of the backend. This filter is the first, so it is the last for responses."
    ),
    "encode_raw_headers:": "Repeated headers stay separate, and their bytes are not changed.",
    "with_request_body:": (
        "Check never gets a part of a body. A larger body is answered with 413, and Check is not asked."
    ),
    "status_on_error:": (
        "The status if Check does not answer. Nothing is forwarded then. 403 would make clients authorize again."
    ),
    "validate_mutations:": "If Envoy cannot send a header, the call fails. It is not forwarded without the header.",
    "decoder_header_mutation_rules:": (
        "Without allow_envoy, Envoy would ignore what Check changes in `x-envoy-*` headers."
    ),
    "xds_matcher:": (
        "The response skips Process if Check wrote the off word, or if Envoy itself answers. "
        "It is inspected if there is any other word, or none."
    ),
    "processing_mode:": (
        "Process gets responses only. STREAMED: it answers every piece, and holds back what it has not inspected."
    ),
    "message_timeout:": "The time for one answer of Process. If it is late, the client gets 504 and no response.",
    "mutation_rules:": "If Envoy would not make a change of Process, the response fails. The change is never ignored.",
    "metadata_options:": "Process gets what Check says. Without this, every response is inspected.",
    "suppress_envoy_headers:": "The backend does not get Envoy's own headers, such as the original path.",
    "circuit_breakers:": "With Envoy's default, 1024 open event streams would block all further requests.",
    "resource_monitors:": "By default Envoy does not limit the connections of clients.",
}
_REMARK_WIDTH = 110
_NO_FOLDING = 1 << 20


class _Dumper(yaml.SafeDumper):
    """PyYAML, with the items of a list indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, value: object, /) -> bool:
        """Write a part that is there twice in full: manifests have no anchors."""
        return True


def render_yaml(bootstrap: Bootstrap, header: tuple[str, ...]) -> str:
    """Render a bootstrap; `header` becomes the remark on top, one line each."""
    settings = bootstrap.to_dict(casing=Casing.SNAKE)
    text = yaml.dump(settings, Dumper=_Dumper, sort_keys=False, width=_NO_FOLDING, allow_unicode=True)
    remarks = dict(REMARKS)
    lines = [f"# {line}".rstrip() for line in header]
    for line in text.splitlines():
        bare = line.lstrip(" -")
        remark = remarks.pop(bare.split(" ", 1)[0], None)
        if remark is not None:
            # A remark within a list is at its dash, which keeps it above the item.
            indent = len(line) - len(line.lstrip(" "))
            lines.extend(_comment(remark, indent))
        lines.append(line)
    return "\n".join(lines) + "\n"


def render_documents(documents: Sequence[Mapping[str, object]], header: tuple[str, ...]) -> str:
    """Render manifests, one document each, under a remark."""
    parts = [
        yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, width=_NO_FOLDING, allow_unicode=True)
        for document in documents
    ]
    return "".join(f"# {line}".rstrip() + "\n" for line in header) + "---\n".join(parts)


def _comment(remark: str, indent: int) -> list[str]:
    mark = " " * indent + "# "
    width = max(_REMARK_WIDTH, indent + 60)
    return textwrap.wrap(remark, width, initial_indent=mark, subsequent_indent=mark)
