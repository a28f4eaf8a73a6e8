"""Approvals: a person decides exactly this call, and it may then be made once (docs/approvals.md)."""
