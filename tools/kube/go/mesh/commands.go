//go:build tools

// Package mesh names the command of Istio that `make kube-test` builds.
package mesh

import _ "istio.io/istio/pilot/cmd/pilot-discovery"
