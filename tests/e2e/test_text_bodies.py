"""An Envoy that hands bodies over as text (no `pack_as_bytes`): what Check read is signed, not what is forwarded."""

import json
from pathlib import Path

import pytest

from agen_authz.verify import BackendVerifier, KeyDirectory
from tests.stage.world import World, modern, running_world, tool_call

pytestmark = pytest.mark.envoy

KEYS = {"crm": b"c" * 32, "billing": b"b" * 32}
# Where a string of the arguments begins, and a byte there that is no UTF-8: Envoy hands `!` over and forwards the byte.
PLAIN = json.dumps(tool_call(arguments={"customer_id": "c-1001"})).encode()
REPLACED = PLAIN.replace(b'"c-1001"', b'"\xffc-1001"')


def _admit(config: str) -> str:
    return config.replace("shutdown_grace:", "insecure_accept_text_bodies: true, shutdown_grace:")


def _hand_over_text(envoy: str) -> str:
    assert envoy.count("pack_as_bytes: true") == 1
    return envoy.replace("pack_as_bytes: true", "pack_as_bytes: false")


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("text")
    for name, secret in KEYS.items():
        (folder / "keys" / name).mkdir(parents=True)
        (folder / "keys" / name / f"{name}-1").write_bytes(secret)

    def protect(name: str) -> BackendVerifier:
        return BackendVerifier(KeyDirectory(folder / "keys" / name), resource=name)

    with running_world(folder, protect=protect, changed=_admit, envoy_changed=_hand_over_text) as running:
        yield running


def _decided(world: World) -> str:
    return str(world.events()[-1]["decision"])


def test_text_is_decided_on_and_the_backend_accepts_what_is_as_it_was_read(signed, caplog):
    answer = signed.post(signed.one.mint(signed.crm), PLAIN, **modern())
    assert (answer.status_code, _decided(signed)) == (200, "allow")
    assert [each.name for each in caplog.records if each.name == "agen_authz.verify"] == []


def test_byte_that_envoy_replaced_for_check_is_refused_by_the_backend(signed, caplog):
    answer = signed.post(signed.one.mint(signed.crm), REPLACED, **modern())
    assert (_decided(signed), answer.status_code, answer.content) == ("allow", 403, b"")
    (told,) = [each.getMessage() for each in caplog.records if each.name == "agen_authz.verify"]
    assert told.split(": ")[1] == "content-digest"
