package listen

import (
	"crypto/tls"
	"net"
)

// Listener is a listener, with options for its connections. The engine implements them: see
// engine.ListenOptions.
type Listener struct {
	net.Listener
	Proxy bool        // each connection begins with a PROXY protocol header
	TLS   *tls.Config // nil without TLS
}

// EnableTLS enables TLS on a TCP listener, and reports whether it did. Access to a Unix
// socket is controlled by the permissions of its file.
func (ln *Listener) EnableTLS(c *Certificate) bool {
	if ln.Addr().Network() != "tcp" {
		return false
	}
	ln.TLS = c.Config()
	return true
}
