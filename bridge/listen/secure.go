package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// Secure puts TLS on a TCP listener. Any other, and any without a certificate,
// stays as it is: who may use a Unix socket says its file.
func Secure(ln net.Listener, c *Certificate) net.Listener {
	if c == nil || ln.Addr().Network() != "tcp" {
		return ln
	}
	return &secured{Listener: ln, config: c.config()}
}

// secured is a listener whose connections speak TLS. The handshake is left to
// their first reader: a client that is slow with it is in nobody's way.
type secured struct {
	net.Listener
	config *tls.Config
}

func (s *secured) Accept() (net.Conn, error) {
	socket, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	_, proxied := socket.(*proxyConn)
	return &securedConn{Conn: tls.Server(socket, s.config), proxied: proxied}, nil
}

// securedConn tells a client that speaks plain HTTP what is wrong.
type securedConn struct {
	*tls.Conn
	told    bool
	proxied bool
}

// ReadsProxyHeader reports whether a PROXY protocol header is read before TLS:
// RemoteAddr is the client's address once something was read.
func (c *securedConn) ReadsProxyHeader() bool { return c.proxied }

func (c *securedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && !c.told {
		var wrong tls.RecordHeaderError
		if errors.As(err, &wrong) && wrong.Conn != nil {
			c.told = true
			switch header := wrong.RecordHeader; {
			case looksLikeHTTP(header):
				refusePlain(wrong.Conn, "This port speaks TLS: use https:// or wss://.")
			case proxyproto.MayBegin(header[:]):
				refusePlain(wrong.Conn, "This port does not expect the PROXY protocol: start the bridge with --proxy-protocol, or --listen proxy:host:port.")
			}
		}
	}
	return n, err
}

// looksLikeHTTP tells a request from other bytes that are no TLS.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

const (
	plainRefusal   = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	refusalTimeout = time.Second
	refusalReads   = 16 << 10 // bytes of the rest of the request
)

// refusePlain answers in HTTP, and reads the rest of the request: closing with
// input unread would be a reset, which discards the answer.
func refusePlain(conn net.Conn, words string) {
	_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
	if _, err := io.WriteString(conn, plainRefusal+words+"\n"); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, conn, refusalReads)
	}
}
