"""What listens: Check for Envoy, health and metrics for operators."""
