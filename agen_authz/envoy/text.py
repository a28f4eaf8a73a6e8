"""A typed Envoy configuration as YAML for people: block style, with remarks above the settings that need one."""

import textwrap

import yaml
from betterproto2 import Casing
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

# Above the first line that starts so. What the line does is in Envoy's documentation; here is why it is there.
REMARKS = {
    "admin:": "It shows this whole configuration and can stop Envoy: loopback only.",
    "enable_reuse_port:": "A second Envoy, or another program, on this port is an error and does not get a share of"
    " the calls.",
    "per_connection_buffer_limit_bytes:": "At least what Check may be shown of a body.",
    "use_remote_address:": (
        "With the next setting, every client counts as external, so `x-envoy-*` controls are removed."
    ),
    "normalize_path:": (
        "Done before routing and before Check: what Check decides on is what is forwarded. "
        "Escaped slashes mean different things to different servers: refused."
    ),
    "headers_with_underscores_action:": "Frameworks read `agen_subject` as `agen-subject`.",
    "max_stream_duration:": "An open stream outlives its token by this much at most.",
    "request_timeout:": "For the body to arrive; answers may stream for as long as max_stream_duration.",
    "local_reply_config:": (
        "Envoy's own texts name addresses and causes: clients get this instead, and a time to retry."
    ),
    "response_headers_to_remove:": "The backend's; a denial's own www-authenticate survives.",
    "prefix_rewrite:": "The whole path: the match is exact.",
    "disable_request_body_buffering:": (
        "No token, no buffering: Check is asked with an empty body and answers before the direct response would."
    ),
    "disabled:": "No backend answers here. About requests without a route Check is not asked either.",
    "request_mutations:": (
        "Removed from what clients send, before Check: Envoy hides some of them from Check but forwards them."
    ),
    "response_mutations:": "The backend's; this filter is the first, so it is the last on the way back.",
    "encode_raw_headers:": "Repeated headers stay apart, and bytes stay bytes.",
    "with_request_body:": "Never a part of a body: what is larger is 413, and Check is not asked.",
    "status_on_error:": "Check does not answer: nothing passes. 403 would send clients into a new authorization.",
    "validate_mutations:": "A header that Envoy cannot send is an error, not a call without it.",
    "decoder_header_mutation_rules:": "allow_envoy: without it, what Check says about `x-envoy-*` would not count.",
    "xds_matcher:": (
        "Process is skipped on this word of Check, and for what Envoy answers itself. "
        "Any other word, or none: inspected."
    ),
    "processing_mode:": (
        "Responses only. STREAMED: Process answers every piece, and holds back what it has not inspected."
    ),
    "message_timeout:": "For one answer of Process; later than that, the client gets 504 and nothing of the response.",
    "mutation_rules:": "A change of Process that Envoy would not make is an error, and never ignored.",
    "metadata_options:": "What Check says reaches Process; without it, everything is inspected.",
    "suppress_envoy_headers:": "The original path and the like are not for the backend.",
    "circuit_breakers:": "Envoy's 1024 would be used up by as many open event streams.",
    "resource_monitors:": "Envoy sets no limit by default.",
}
_REMARK_WIDTH = 110
_NO_FOLDING = 1 << 20


class _Dumper(yaml.SafeDumper):
    """PyYAML, with the items of a list indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


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


def _comment(remark: str, indent: int) -> list[str]:
    mark = " " * indent + "# "
    width = max(_REMARK_WIDTH, indent + 60)
    return textwrap.wrap(remark, width, initial_indent=mark, subsequent_indent=mark)
