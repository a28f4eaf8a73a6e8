//go:build tools

// Package gateway names the command of Envoy Gateway that `make kube-test` builds.
package gateway

import _ "github.com/envoyproxy/gateway/cmd/envoy-gateway"
