"""The demo's MCP servers as ASGI applications: both protocol eras, at /mcp."""

from collections.abc import Callable, Mapping

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

from agen_authz.demo.backend.billing import build_billing
from agen_authz.demo.backend.crm import build_crm
from agen_authz.demo.backend.described import DescribedServer
from agen_authz.demo.backend.recorder import Recorder
from agen_authz.verify import ASGIVerifier, BackendVerifier

MCP_PATH = "/mcp"
SERVERS: Mapping[str, Callable[[], DescribedServer]] = {"crm": build_crm, "billing": build_billing}


def build_app(server: MCPServer, *, verifier: BackendVerifier | None = None, is_recording: bool = False) -> ASGIApp:
    """Build the ASGI application of one server.

    Args:
        verifier: what requests must be signed for; None accepts every caller.
        is_recording: whether GET /demo/received tells what arrived, what was refused then included.
    """
    # Sessions for clients of 2025-11-25 and before; those of 2026-07-28 never get one. Host and Origin are not
    # looked at: Envoy has done so, and what it writes into Host is its own choice.
    app: ASGIApp = server.streamable_http_app(
        streamable_http_path=MCP_PATH,
        stateless_http=False,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    if verifier is not None:
        app = ASGIVerifier(app, verifier)
    return Recorder(app) if is_recording else app
