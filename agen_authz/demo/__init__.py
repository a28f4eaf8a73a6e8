"""What `agen-authz demo` starts beside the sidecar; none of it is meant for production."""
