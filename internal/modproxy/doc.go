// Command modproxy makes a module proxy of a checkout, in a folder that GOPROXY=file:// reads, so that go install of the
// module by its version can be tried before there is a tag:
//
//	go run ./internal/modproxy /tmp/proxy v0.0.0-test
//	GOPROXY=file:///tmp/proxy,https://proxy.golang.org GONOSUMDB=github.com/clu-ws/clu-ws \
//		go install github.com/clu-ws/clu-ws/cmd/clu-ws@v0.0.0-test
//
// The zip is what a proxy makes of a tag: the files that git has, changes included, without nested modules (zip.go).
package main
