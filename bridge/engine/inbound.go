package engine

import "sync/atomic"

// inboundLimit limits the bytes of input that connections keep between turns: incomplete
// messages, input beyond their quantum, and ciphertext. TLS handshakes have a limit of their
// own, so that other clients' messages lock no new client out.
type inboundLimit struct {
	total atomic.Int64
	max   int
}

// update replaces the share of one connection in the total, and reports whether its growth
// exceeds the limit.
func (n *inboundLimit) update(share *int, bytes int) (exceeded bool) {
	grown := bytes - *share
	if grown == 0 {
		return false
	}
	*share = bytes
	return n.total.Add(int64(grown)) > int64(n.max) && grown > 0
}
