"""`make kube-test`: the chart on a real API server, which `build` makes from its Go modules."""
