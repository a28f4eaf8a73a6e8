"""Changes of headers, as the header_mutation filter and the mutation rules write them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agen_authz.envoy.check.sheet import TRUSTED_HEADERS, is_trusted
from agen_authz.envoy.check.spot import Spot


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """One change: `append` or `remove`, of a header or of those that match."""

    kind: str
    spot: Spot
    name: str
    matcher: Spot | None = None

    @property
    def touches_trusted(self) -> bool:
        """True if a header that a backend trusts may be changed; a matcher that is not understood may."""
        if self.matcher is None:
            return is_trusted(self.name)
        return any(_may_match(self.matcher, header) for header in TRUSTED_HEADERS)

    def touches_all_of(self, prefix: str) -> bool:
        """True if every header that begins so is changed."""
        return (
            self.matcher is not None
            and bool(self.matcher.at("prefix").text)
            and prefix.startswith(self.matcher.at("prefix").text)
        )


def _may_match(matcher: Spot, header: str) -> bool:
    outcomes: Mapping[str, Callable[[str], bool]] = {
        "exact": lambda written: header == written,
        "prefix": header.startswith,
        "suffix": header.endswith,
        "contains": lambda written: written in header,
    }
    for key, outcome in outcomes.items():
        written = matcher.at(key).text
        if written:
            return outcome(written.lower())
    return True


def read_mutations(mutations: Spot) -> Iterator[HeaderChange]:
    """Yield the changes of a list of header mutations."""
    for item in mutations.items():
        if item.at("remove").is_written:
            yield HeaderChange("remove", item, item.at("remove").text)
        if item.at("append").is_written:
            yield HeaderChange("append", item, item.at("append", "header", "key").text)
        if item.at("remove_on_match").is_written:
            yield HeaderChange("remove", item, "", item.at("remove_on_match", "key_matcher"))


def find_trusted(level: Spot) -> Iterator[Spot]:
    """Find what a level of routes writes or removes of the headers that backends trust."""
    for item in level.at("request_headers_to_add").items():
        if is_trusted(item.at("header", "key").text):
            yield item
    removed = level.at("request_headers_to_remove")
    if any(re.match(r"agen|mcp|signature|content-digest|last-event-id", name.lower()) for name in removed.words):
        yield removed
