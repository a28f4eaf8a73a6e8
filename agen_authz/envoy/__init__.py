"""Envoy's side: its configuration rendered from ours, its binary found and run."""
