"""What comes back: one JSON-RPC message of a response is inspected at a time, and leaves only if that says so."""
