package amqpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"os"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The interceptor must see the frames. So the link itself does the TLS handshake, and gives the
// library a connection with plain AMQP.

// secure does the TLS handshake if the URL asks for it.
func (l *Link) secure(conn net.Conn, uri amqp.URI) (net.Conn, error) {
	if uri.Scheme != "amqps" {
		return conn, nil
	}
	cfg := l.cfg.TLS.Clone()
	if cfg == nil {
		var err error
		if cfg, err = tlsOfURL(uri); err != nil {
			return nil, err
		}
	}
	if cfg.ServerName == "" {
		cfg.ServerName = uri.Host
	}
	secured := tls.Client(conn, cfg)
	if err := secured.Handshake(); err != nil {
		return nil, err
	}
	if end, ok := firstEnd(secured.ConnectionState().PeerCertificates); ok {
		l.certificateEnd.Store(&end)
	}
	return secured, nil
}

// firstEnd returns when the first of the certificates ends.
func firstEnd(all []*x509.Certificate) (end time.Time, ok bool) {
	for _, c := range all {
		if !ok || c.NotAfter.Before(end) {
			end, ok = c.NotAfter, true
		}
	}
	return end, ok
}

// tlsOfURL reads the TLS options of a URL: cacertfile, certfile, keyfile and server_name_indication.
func tlsOfURL(uri amqp.URI) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: uri.ServerName}
	if uri.CACertFile != "" {
		text, err := os.ReadFile(uri.CACertFile)
		if err != nil {
			return nil, fmt.Errorf("the broker URL's cacertfile: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("the broker URL's cacertfile has no certificate in it")
		}
	}
	if uri.CertFile != "" && uri.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(uri.CertFile, uri.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("the broker URL's certfile and keyfile: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// withoutTLS returns the URL for the library, for which TLS is already done.
func withoutTLS(url string, uri amqp.URI) string {
	u, err := neturl.Parse(url)
	if err != nil || uri.Scheme != "amqps" {
		return url
	}
	u.Scheme = "amqp"
	u.Host = net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	return u.String()
}
