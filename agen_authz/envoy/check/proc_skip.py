"""When ext_proc is skipped: on the keyed word of Check, and for what Envoy answers itself (docs/adr/0021)."""

from agen_authz.envoy.check.sheet import NAMESPACE, Sheet
from agen_authz.envoy.check.spot import Spot, typed

_KEY = "agen.inspect"
_INPUT = ".DynamicMetadataInput"
_LOCAL_REPLY = ".HttpResponseLocalReplyMatchInput"
_SKIP_ACTION = ".SkipFilter"
_KEYED = "off-"


def check_skip(sheet: Sheet, matcher: Spot) -> None:
    """Check every matcher of a list; a tree, or what is done if nothing matches, is not ours."""
    matchers = matcher.at("matcher_list", "matchers").items()
    others = [spot for spot in (matcher.at("matcher_tree"), matcher.at("on_no_match")) if spot.is_written]
    for spot in others:
        sheet.add("proc-skip-other", spot)
    for item in matchers:
        action, _ = typed(item.at("on_match", "action", "typed_config"))
        if action and not action.endswith(_SKIP_ACTION):
            continue
        single = item.at("predicate", "single_predicate")
        if _is_word_of_check(single):
            _check_word(sheet, single)
        elif not _is_local_reply(single):
            sheet.add("proc-skip-other", item)


def _is_word_of_check(predicate: Spot) -> bool:
    name, source = typed(predicate.at("input", "typed_config"))
    _, custom = typed(predicate.at("custom_match", "typed_config"))
    keys = [part.at("key").text for part in source.at("path").items()]
    is_inverted = custom.at("invert").is_on
    return name.endswith(_INPUT) and source.at("filter").text == NAMESPACE and keys == [_KEY] and not is_inverted


def _is_local_reply(predicate: Spot) -> bool:
    name, _ = typed(predicate.at("input", "typed_config"))
    is_plain = not predicate.at("custom_match").is_written
    return is_plain and name.endswith(_LOCAL_REPLY) and predicate.at("value_match", "exact").text == "true"


def _check_word(sheet: Sheet, predicate: Spot) -> None:
    _, custom = typed(predicate.at("custom_match", "typed_config"))
    exact = custom.at("value", "string_match", "exact")
    is_keyed = exact.text.startswith(_KEYED)
    sheet.want("proc-skip-plain", exact, is_good=is_keyed)
    if is_keyed and sheet.off_word is not None:
        sheet.want("proc-skip-word", exact, is_good=exact.text == sheet.off_word)
