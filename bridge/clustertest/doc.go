// Package clustertest tests bridges on a RabbitMQ cluster of three nodes whose nodes stop, crash
// and freeze under traffic. Its tests take minutes, and have the build tag cluster:
//
//	go test -tags cluster -timeout 30m -v ./bridge/clustertest
package clustertest
