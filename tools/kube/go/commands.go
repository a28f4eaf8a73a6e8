//go:build tools

// Package kube names the command that `make kube-test` builds.
package kube

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
