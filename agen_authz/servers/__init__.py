"""The listeners: Check for Envoy, health and metrics for operators."""
