package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports come from below the range that Linux (32768 and up) and macOS (49152 and up) give to
// outgoing connections: a broker that restarts must find its port free again.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePort returns a TCP port of 127.0.0.1 that is not in use, and reserves it until the test ends: no other FreePort on
// this machine, in any test binary, returns it.
func FreePort(t testing.TB) int {
	t.Helper()
	port, release, err := claimPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// claimPort finds a port and reserves it by binding the UDP port of the same number: others fail to bind that, the TCP
// port stays free for its user, and the kernel drops the reservation of a process that dies.
func claimPort() (port int, release func(), err error) {
	for range 1000 {
		port = firstPort + rand.IntN(lastPort-firstPort)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		claim, err := net.ListenPacket("udp4", addr)
		if err != nil {
			continue
		}
		// On all addresses: a listener on 0.0.0.0 would be in the way, too.
		probe, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			claim.Close()
			continue
		}
		probe.Close()
		return port, func() { claim.Close() }, nil
	}
	return 0, nil, fmt.Errorf("no free TCP port between %d and %d", firstPort, lastPort)
}
