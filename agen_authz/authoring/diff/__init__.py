"""`agen-authz policy diff`: what changes from one configuration to another."""
