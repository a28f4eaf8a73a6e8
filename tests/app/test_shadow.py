"""The store remembers since when policies are in shadow."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from agen_authz.adapters.store import migrate, open_store
from agen_authz.app.shadow import note_shadow, read_shadow
from agen_authz.config import load
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Store
from tests.authoring.rig import write
from tests.builders import NOW
from tests.config.test_mistakes import GOOD

LATER = NOW + 86_400.0
POLICIES = """\
policies:
  - {name: s, state: shadow, tools: [crm/x], then: deny}
  - {name: e, state: enforce, tools: [crm/x], then: deny}
  - {name: d, state: disabled, tools: [crm/x], then: deny}
tenants: {acme: {policies: [{name: t, state: shadow, then: deny}]}}
"""


def loaded(folder: Path, policies: str = POLICIES):
    return load(write(folder, f"{GOOD}{policies}store: {{url: 'sqlite:///{folder}/agen.db'}}\n"), environ={})


async def opened(folder: Path):
    url = f"sqlite:///{folder}/agen.db"
    await migrate(url)
    return open_store(url, timeout_s=5.0)


class Silent:
    """A store that does not answer."""

    async def remember_only(self, prefix, defaults):
        raise Unavailable(Reason.STORE_UNAVAILABLE, "store")

    async def close(self):
        raise AssertionError("it is not ours to close")


async def noted(folder: Path, now: float, policies: str = POLICIES) -> Mapping[str, float]:
    store, config = await opened(folder), loaded(folder, policies).config
    await note_shadow(config, store, now)
    await store.close()
    return await read_shadow(config)


async def test_first_time_is_remembered_for_policies_in_shadow_of_everybody_and_of_tenants(tmp_path):
    assert await noted(tmp_path, NOW) == {"s": NOW, "t": NOW}
    assert await noted(tmp_path, LATER) == {"s": NOW, "t": NOW}


async def test_policy_that_was_rewritten_starts_again(tmp_path):
    await noted(tmp_path, NOW)
    rewritten = POLICIES.replace("s, state: shadow, tools: [crm/x]", "s, state: shadow, tools: [crm/y]")
    assert await noted(tmp_path, LATER, rewritten) == {"s": LATER, "t": NOW}


async def test_policy_that_left_shadow_and_came_back_starts_again(tmp_path):
    await noted(tmp_path, NOW)
    assert await noted(tmp_path, NOW, POLICIES.replace("s, state: shadow", "s, state: enforce")) == {"t": NOW}
    assert await noted(tmp_path, LATER) == {"s": LATER, "t": NOW}


async def test_nothing_is_kept_of_policies_when_none_is_in_shadow_any_longer(tmp_path):
    await noted(tmp_path, NOW)
    assert await noted(tmp_path, NOW, "") == {}
    assert await noted(tmp_path, LATER) == {"s": LATER, "t": LATER}


async def test_other_values_of_the_store_are_left_alone(tmp_path):
    store = await opened(tmp_path)
    await store.remember({"digest_key": "k"})
    await store.close()
    await noted(tmp_path, NOW)
    store = await opened(tmp_path)
    assert await store.remember({"digest_key": "another"}) == {"digest_key": "k"}
    await store.close()


async def test_store_that_does_not_answer_does_not_stop_the_start(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        await note_shadow(loaded(tmp_path).config, cast(Store, Silent()), NOW)
    assert [each.getMessage() for each in caplog.records] == [
        "the store is unavailable: `policy lint` cannot say since when policies are in shadow"
    ]


async def test_policy_that_was_never_served_is_not_told_of_nor_remembered(tmp_path):
    await noted(tmp_path, NOW, POLICIES.replace("name: s", "name: another"))
    assert await read_shadow(loaded(tmp_path).config) == {"t": NOW}
    assert await noted(tmp_path, LATER) == {"s": LATER, "t": NOW}


async def test_store_is_read_as_it_is(tmp_path):
    await noted(tmp_path, NOW)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert await read_shadow(loaded(tmp_path).config) == {"s": NOW, "t": NOW}
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


async def test_store_that_is_in_use_is_read(tmp_path):
    store, config = await opened(tmp_path), loaded(tmp_path).config
    await note_shadow(config, store, NOW)
    assert await read_shadow(config) == {"s": NOW, "t": NOW}
    await store.close()


async def test_store_that_is_not_there_is_not_made(tmp_path):
    assert await read_shadow(loaded(tmp_path).config) == {}
    assert [each.name for each in tmp_path.iterdir()] == ["agen.yaml"]


async def test_store_that_was_never_migrated_is_left_so(tmp_path):
    (tmp_path / "agen.db").touch()
    assert await read_shadow(loaded(tmp_path).config) == {}
    assert (tmp_path / "agen.db").read_bytes() == b""


async def test_file_that_is_not_a_store_is_reported(tmp_path):
    (tmp_path / "agen.db").write_bytes(b"no database at all " * 200)
    with pytest.raises(ConfigError):
        await read_shadow(loaded(tmp_path).config)


async def test_store_that_a_file_names_is_read(tmp_path):
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path}/agen.db\n")
    (tmp_path / "agen.db").write_bytes(b"no database at all " * 200)
    file = write(tmp_path, f"{GOOD}{POLICIES}store: {{url_file: {tmp_path}/url}}\n")
    with pytest.raises(ConfigError):
        await read_shadow(load(file, secrets=False, environ={}).config)
