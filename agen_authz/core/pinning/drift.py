"""What is reported when a definition is seen for the first time: its kinds of drift, and what they rest on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import assert_never

from msgspec import Struct

from agen_authz.core.model import Digest
from agen_authz.core.pinning.catalogue import Catalogue, Sighting
from agen_authz.core.pinning.change import Kind, find_former_name, find_signs, index_schemas
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.hidden import HiddenText, find_hidden
from agen_authz.core.pinning.lookalike import LookAlike, Named, NameIndex, find_lookalikes, index_names, list_titles
from agen_authz.core.pinning.pin import Changed, New, Pinned, PinState, Reworded


class Drift(Struct, frozen=True):
    """One definition that was seen for the first time.

    Args:
        kinds: in the order of `Kind`.
        former_name: the approved tool that it may have been until now.
    """

    server: str
    name: str
    digest: Digest
    state: PinState
    kinds: tuple[Kind, ...]
    former_name: str | None = None
    lookalikes: tuple[LookAlike, ...] = ()
    hidden: tuple[HiddenText, ...] = ()


class Surroundings(Struct, frozen=True):
    """What the definitions of one server are compared with: other names, and schemas that are approved."""

    names: tuple[NameIndex, ...]
    by_schema: Mapping[str, Sequence[str]]


def survey(catalogue: Catalogue, server: str, listed: Iterable[Sighting] = ()) -> Surroundings:
    """Index what a server's definitions are compared with, once for all of them.

    Args:
        catalogue: as it was before.
        listed: all that the same message lists.
    """
    names = (catalogue.names, index_names(_name_all(server, listed)))
    return Surroundings(names, index_schemas(_approved_of(catalogue, server)))


def describe_drift(
    catalogue: Catalogue, server: str, sighting: Sighting, around: Surroundings, listed: Collection[str]
) -> Drift:
    """Describe a definition that the store has not seen before; `listed` has the names that the server lists now."""
    state, definition = catalogue.judge_sighting(server, sighting), sighting.definition
    former = find_former_name(definition, around.by_schema, listed) if isinstance(state, New) else None
    alike = tuple(
        dict.fromkeys(found for index in around.names for found in find_lookalikes(server, definition, index))
    )
    kinds = {*_kinds_of(state), *(find_signs(definition) if isinstance(state, New) else ())}
    kinds |= {Kind.RENAMED} if former is not None else set()
    kinds |= {Kind.TWIN if each.is_twin else Kind.LOOK_ALIKE for each in alike}
    if sighting.text is None:
        kinds = (kinds - {Kind.FORGOTTEN}) | {Kind.TOO_LONG}
    ordered = tuple(kind for kind in Kind if kind in kinds)
    hidden = find_hidden(definition) if Kind.HIDDEN_TEXT in kinds else ()
    return Drift(server, sighting.name, sighting.digest, state, ordered, former, alike, hidden)


def _kinds_of(state: PinState) -> tuple[Kind, ...]:
    match state:
        case New():
            return (Kind.NEW,)
        case Reworded():
            return (Kind.WORDING,)
        case Changed(kinds=kinds):
            return kinds
        case Pinned():
            return ()
        case _:
            assert_never(state)


def _approved_of(catalogue: Catalogue, server: str) -> Mapping[str, list[Definition]]:
    return {
        entry.tool.name: [each.definition for each in entry.approved]
        for entry in catalogue.list_server(server)
        if entry.approved
    }


def _name_all(server: str, listed: Iterable[Sighting]) -> Iterable[Named]:
    for each in listed:
        name = each.definition.get("name")
        if isinstance(name, str):
            yield Named(server, name, list_titles(each.definition))
