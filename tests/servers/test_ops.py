"""What operators are told, and who is told the details."""

import pytest
from starlette.testclient import TestClient

from agen_authz.servers.ops import Readiness, build_ops

pytestmark = pytest.mark.loopback


def client(*, is_ready: bool = True, peer: str = "127.0.0.1") -> TestClient:
    readiness = Readiness(is_ready, {"provider corp": "failing"})

    async def render_metrics() -> tuple[bytes, str]:
        return b"agen_x 1\n", "text/plain; version=0.0.4"

    async def check_readiness() -> Readiness:
        return readiness

    app = build_ops(render_metrics, check_readiness)
    return TestClient(app, client=(peer, 50000))


def test_metrics_are_what_was_rendered():
    answer = client().get("/metrics")
    assert (answer.content, answer.headers["content-type"]) == (b"agen_x 1\n", "text/plain; version=0.0.4")


def test_a_process_that_answers_is_alive():
    assert client(is_ready=False).get("/livez").status_code == 200


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_readiness_is_a_status(is_ready, status):
    assert client(is_ready=is_ready).get("/readyz").status_code == status


@pytest.mark.parametrize(("peer", "is_told"), [("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("x", False)])
def test_details_are_for_loopback_only(peer, is_told):
    assert ("parts" in client(peer=peer).get("/readyz").json()) is is_told
