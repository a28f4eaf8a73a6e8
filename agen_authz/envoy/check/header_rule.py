"""Mutation rules: which changes of headers Envoy refuses to make for Check or Process."""

import re
import warnings
from collections.abc import Iterable

from agen_authz.envoy.check.spot import Spot

_MAX_REGEX = 200


def may_refuse(regex: Spot, headers: Iterable[str]) -> bool:
    """True if an expression matches one of these headers; one that cannot be read may."""
    if not regex.text:
        return False
    if len(regex.text) > _MAX_REGEX:
        return True  # not checked, so not trusted
    try:
        with warnings.catch_warnings(action="ignore"):
            pattern = re.compile(regex.text)
    except (re.error, OverflowError, RecursionError):
        return True
    return any(pattern.fullmatch(header) for header in headers)
