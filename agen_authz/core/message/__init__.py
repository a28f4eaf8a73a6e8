"""One MCP message: from the bytes of a body to a Call, or the Reason why not."""
