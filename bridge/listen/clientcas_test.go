package listen

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// namer serves a certificate, and answers each client with the name in its verified
// certificate.
func namer(t *testing.T, c *Certificate) (address string) {
	t.Helper()
	ln := tls.NewListener(open(t, Address{Network: "tcp", Name: "127.0.0.1:0"}, Options{}), c.Config())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { answerName(conn.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
	return ln.Addr().String()
}

func answerName(conn *tls.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	if conn.Handshake() != nil {
		return
	}
	name := "nobody"
	if chains := conn.ConnectionState().VerifiedChains; len(chains) > 0 {
		name = chains[0][0].Subject.CommonName
	}
	if conn.ConnectionState().DidResume {
		name += " again"
	}
	_, _ = conn.Write([]byte(name))
}

// nameFor returns the server's answer to a client; "" if there is no connection.
func nameFor(t *testing.T, address string, client *tls.Config) string {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: testkit.Patience}, "tcp", address, client)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	buf := make([]byte, 100)
	n, _ := conn.Read(buf)
	return string(buf[:n])
}

// anonymous returns a client without a certificate.
func (a authority) anonymous(t *testing.T) *tls.Config {
	config := a.ClientConfig(t)
	config.Certificates = nil
	return config
}

// stranger returns a client whose certificate another authority has signed, which it shows
// whatever the server asks for.
func (a authority) stranger(t *testing.T, other authority) *tls.Config {
	config := a.ClientConfig(t)
	pair := other.ClientConfig(t).Certificates[0]
	config.Certificates = nil
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return config
}

func TestAClientMayPresentACertificate(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	c := load(t, a)
	address := namer(t, c)
	if got := nameFor(t, address, a.ClientConfig(t)); got != "nobody" {
		t.Errorf("without authorities a certificate is asked for: %q", got)
	}
	if err := c.SetClientCAs(a.CA); err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]struct {
		client *tls.Config
		want   string
	}{
		"a certificate":                {a.ClientConfig(t), "clu-ws"},
		"no certificate":               {a.anonymous(t), "nobody"},
		"the certificate of a foreign": {a.stranger(t, other), ""},
	} {
		if got := nameFor(t, address, check.client); got != check.want {
			t.Errorf("%s: %q, want %q", name, got, check.want)
		}
	}
	if err := c.SetClientCAs(""); err != nil {
		t.Fatal(err)
	}
	if got := nameFor(t, address, a.ClientConfig(t)); got != "nobody" {
		t.Errorf("a certificate is still asked for: %q", got)
	}
}

func TestAServersCertificateIdentifiesNoClient(t *testing.T) {
	a := newAuthority(t)
	c := load(t, a)
	if err := c.SetClientCAs(a.CA); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(a.ServerCert, a.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	client := a.ClientConfig(t)
	client.Certificates = []tls.Certificate{pair}
	if got := nameFor(t, namer(t, c), client); got != "" {
		t.Errorf("it is %q", got)
	}
}

func TestTheAuthoritiesAreReloadedWhenTheirFileChanges(t *testing.T) {
	a, next := newAuthority(t), newAuthority(t)
	c := load(t, a)
	if err := c.SetClientCAs(a.CA); err != nil {
		t.Fatal(err)
	}
	address := namer(t, c)
	resuming := a.ClientConfig(t)
	resuming.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for _, want := range []string{"clu-ws", "clu-ws again"} {
		if got := nameFor(t, address, resuming); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
	server, ca := a.ClientConfig(t), read(t, next.CA)
	client := next.ClientConfig(t)
	client.RootCAs = server.RootCAs
	replaceFile(t, a.CA, ca)
	if changed, err := c.Refresh(); !changed || err != nil {
		t.Fatalf("the file has changed, and it says %t, %v", changed, err)
	}
	if got := nameFor(t, address, client); got != "clu-ws" {
		t.Errorf("who was signed by the new authority is %q", got)
	}
	// It would present no certificate of an authority that is not asked for, but resume.
	if got := nameFor(t, address, resuming); strings.HasPrefix(got, "clu-ws") {
		t.Errorf("who was signed by the old one resumes its session as %q", got)
	}
}

func TestASessionFromBeforeIsNotResumedWithoutItsCertificate(t *testing.T) {
	a := newAuthority(t)
	c := load(t, a)
	address := namer(t, c)
	resuming := a.ClientConfig(t)
	resuming.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for _, want := range []string{"nobody", "nobody again"} {
		if got := nameFor(t, address, resuming); got != want {
			t.Fatalf("it is %q, want %q", got, want)
		}
	}
	if err := c.SetClientCAs(a.CA); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"clu-ws", "clu-ws again"} {
		if got := nameFor(t, address, resuming); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
	if err := c.SetClientCAs(""); err != nil {
		t.Fatal(err)
	}
	if got := nameFor(t, address, resuming); got != "nobody" {
		t.Errorf("nobody is asked for a certificate any more, and it is %q", got)
	}
}

func TestUnusableAuthoritiesChangeNothing(t *testing.T) {
	a := newAuthority(t)
	c := load(t, a)
	if err := c.SetClientCAs(a.CA); err != nil {
		t.Fatal(err)
	}
	address, client := namer(t, c), a.ClientConfig(t)
	bad := filepath.Join(t.TempDir(), "bad.pem")
	for name, content := range map[string]string{
		"nothing":        "",
		"no PEM":         "hello",
		"a key":          read(t, a.CA) + read(t, a.ServerKey),
		"a damaged cert": read(t, a.CA) + "-----BEGIN CERTIFICATE-----\nMI!IB\n-----END CERTIFICATE-----\n",
		"half of a cert": read(t, a.CA) + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
	} {
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.SetClientCAs(bad); err == nil || !strings.Contains(err.Error(), bad+" must be a PEM file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.SetClientCAs(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that does not exist is taken")
	}
	if got := nameFor(t, address, client); got != "clu-ws" {
		t.Errorf("the old authorities do not go on: %q", got)
	}
	if err := os.Remove(a.CA); err != nil {
		t.Fatal(err)
	}
	if changed, err := c.Refresh(); !changed || err == nil {
		t.Errorf("a file that is gone: %t, %v", changed, err)
	}
	if got := nameFor(t, address, client); got != "clu-ws" {
		t.Errorf("the old authorities do not go on: %q", got)
	}
}
