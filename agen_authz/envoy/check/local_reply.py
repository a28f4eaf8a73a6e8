"""What a connection manager makes of answers that are not a backend's: those of Check and Process are among them."""

import re

from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot, typed

_DENIED = "UAEX"
# An expression that names one cause, of which neither Check nor Process is the author.
_ONE_CAUSE = re.compile(
    r'response\.code_details(?: == |\.startsWith\()"(?:ext_authz_error|ext_proc_error|[a-z_]*upstream[a-z_]*)"\)?'
)
_ALL_OF, _ANY_OF = "and_filter", "or_filter"
_MAX_DEPTH = 10


def check_local_replies(sheet: Sheet, connections: Spot) -> None:
    """Check that no local reply takes the place of what Check or Process answers."""
    replies = connections.at("local_reply_config")
    sheet.want("local-reply", replies.at("body_format"), is_good=not replies.at("body_format").is_written)
    for mapper in replies.at("mappers").items():
        if not _is_about_others(mapper.at("filter"), 0):
            sheet.add("local-reply", mapper)


def _is_about_others(filter_: Spot, depth: int) -> bool:
    """True if a mapper's filter matches no answer of Check or Process; one that is not understood may."""
    if depth > _MAX_DEPTH:
        return False
    either = filter_.at(_ANY_OF, "filters").items()
    if either:
        return all(_is_about_others(part, depth + 1) for part in either)
    if any(_is_about_others(part, depth + 1) for part in filter_.at(_ALL_OF, "filters").items()):
        return True
    flags = filter_.at("response_flag_filter", "flags").words
    _, extension = typed(filter_.at("extension_filter", "typed_config"))
    is_one_cause = _ONE_CAUSE.fullmatch(extension.at("expression").text) is not None
    return is_one_cause or (bool(flags) and _DENIED not in flags)
