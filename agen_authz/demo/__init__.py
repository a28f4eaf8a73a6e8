"""What `agen-authz demo` starts besides the sidecar; none of it is meant for production."""
