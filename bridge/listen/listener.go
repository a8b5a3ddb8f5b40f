package listen

import (
	"crypto/tls"
	"net"
)

// Listener is a listener and what its connections begin with. The server of the
// connections reads that: see the options of the engine with the same names.
type Listener struct {
	net.Listener
	Proxy bool        // each connection begins with a PROXY protocol header
	TLS   *tls.Config // behind that it speaks TLS; nil if it does not
}

// EnableTLS has the connections of a TCP listener speak TLS, and reports whether they do.
// Who may use a Unix socket says its file.
func (ln *Listener) EnableTLS(c *Certificate) bool {
	if ln.Addr().Network() != "tcp" {
		return false
	}
	ln.TLS = c.Config()
	return true
}
