"""Envoy that a platform configures: the manifests that make Envoy Gateway or Istio ask agen-authz."""
