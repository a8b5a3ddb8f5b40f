package engine

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// TestTheClientsCertificateIsKnown is about a configuration that may change while the engine
// runs, as that of package listen.
func TestTheClientsCertificateIsKnown(t *testing.T) {
	pair := certificate("observer")
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string, 3)
	see := func(state *tls.ConnectionState) { names <- state.VerifiedChains[0][0].Subject.CommonName }
	s := start(t, Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { see(r.TLS) })}, func(s *server) {
		withClients := serverTLS().Clone()
		withClients.ClientAuth, withClients.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
		withClients.ClientCAs.AddCert(leaf)
		s.tls = serverTLS().Clone()
		s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return withClients, nil }
		s.accept = func(r *Request) (Accepted, error) {
			see(r.TLS())
			see(r.Clone().TLS())
			return Accepted{Session: s}, nil
		}
	})
	for _, request := range []string{upgradeRequest, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		c := s.dialRaw(t)
		c.Conn = tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
		c.send([]byte(request))
	}
	for range 3 {
		if got := testkit.Receive(t, names); got != "observer" {
			t.Errorf("the client is %q", got)
		}
	}
}
