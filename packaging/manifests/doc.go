// Package manifests holds the files for Kubernetes and Docker Compose to the schemas of these programs. It has tests
// only.
package manifests
