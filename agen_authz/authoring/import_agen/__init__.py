"""`agen-authz policy import`: policies of Agen in the form of this configuration."""
