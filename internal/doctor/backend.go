package doctor

import (
	"context"
	"net"
	"strings"
)

// Backend connects to a backend that a dialect asks, at host:port or by a Unix socket. It sends nothing.
func (r *Report) Backend(ctx context.Context, address string) {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, network, address)
	if err != nil {
		r.Fail("dialect.backend", "start the backend, or correct its URL in the section dialects", "the backend at %s, which clients of a dialect need, cannot be reached: %v", address, err)
		return
	}
	_ = conn.Close()
	r.OK("dialect.backend", "something listens at %s, where the backend of a dialect should be", address)
}
