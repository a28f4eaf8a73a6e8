"""A sidecar for Envoy that decides every call to an MCP server."""
