"""`agen-authz policy replay`: recorded calls, decided again under a draft."""
