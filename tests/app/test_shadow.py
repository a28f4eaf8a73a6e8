"""The store remembers since when policies are in shadow."""

import logging
from pathlib import Path

import pytest

from agen_authz.adapters.store import migrate, open_store
from agen_authz.app.shadow import note_shadow, read_shadow
from agen_authz.config import load
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.core.reason import Reason
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

    async def remember(self, defaults):
        raise Unavailable(Reason.STORE_UNAVAILABLE, "store")

    async def close(self):
        raise AssertionError("it is not ours to close")


async def test_first_time_is_remembered_for_policies_in_shadow_of_everybody_and_of_tenants(tmp_path):
    store = await opened(tmp_path)
    config = loaded(tmp_path).config
    assert await note_shadow(config, store, NOW) == {"s": NOW, "t": NOW}
    assert await note_shadow(config, store, LATER) == {"s": NOW, "t": NOW}
    await store.close()


async def test_policy_that_was_rewritten_starts_anew(tmp_path):
    store = await opened(tmp_path)
    await note_shadow(loaded(tmp_path).config, store, NOW)
    changed = loaded(tmp_path, POLICIES.replace("s, state: shadow, tools: [crm/x]", "s, state: shadow, tools: [crm/y]"))
    assert await note_shadow(changed.config, store, LATER) == {"s": LATER, "t": NOW}
    await store.close()


async def test_policy_that_left_shadow_is_not_told_of(tmp_path):
    store = await opened(tmp_path)
    await note_shadow(loaded(tmp_path).config, store, NOW)
    enforced = loaded(tmp_path, POLICIES.replace("s, state: shadow", "s, state: enforce"))
    assert await note_shadow(enforced.config, store, LATER) == {"t": NOW}
    await store.close()


async def test_without_policies_in_shadow_the_store_is_not_asked(tmp_path):
    assert await note_shadow(loaded(tmp_path, "").config, Silent(), NOW) == {}


async def test_store_that_is_silent_is_no_reason_to_stop(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert await note_shadow(loaded(tmp_path).config, Silent(), NOW) == {}
    assert [each.getMessage() for each in caplog.records] == [
        "the store does not say since when policies are in shadow"
    ]


async def test_file_says_which_store_remembers(tmp_path):
    store = await opened(tmp_path)
    await note_shadow(loaded(tmp_path).config, store, NOW)
    await store.close()
    assert await read_shadow(loaded(tmp_path), LATER) == {"s": NOW, "t": NOW}


async def test_store_that_is_not_there_is_not_made(tmp_path):
    assert await read_shadow(loaded(tmp_path), NOW) == {}
    assert [each.name for each in tmp_path.iterdir()] == ["agen.yaml"]


async def test_store_that_is_none_is_told(tmp_path):
    (tmp_path / "agen.db").write_bytes(b"no database at all " * 200)
    with pytest.raises(ConfigError):
        await read_shadow(loaded(tmp_path), NOW)
