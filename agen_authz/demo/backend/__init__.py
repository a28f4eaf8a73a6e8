"""The demo's MCP servers, `crm` and `billing`: the servers behind Envoy; loopback only."""

from agen_authz.demo.backend.app import MCP_PATH, SERVERS, build_app
from agen_authz.demo.backend.billing import build_billing
from agen_authz.demo.backend.crm import build_crm
from agen_authz.demo.backend.recorder import RECORD_PATH, Recorder

__all__ = ["MCP_PATH", "RECORD_PATH", "SERVERS", "Recorder", "build_app", "build_billing", "build_crm"]
