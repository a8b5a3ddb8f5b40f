package listen

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// authority is a certificate in files that can be replaced, and clients that trust its
// issuer.
type authority struct {
	*testkit.Certificates
}

func newAuthority(t *testing.T) authority { return authority{testkit.NewCertificates(t)} }

// replace replaces the files by another's, as certbot does.
func (a authority) replace(t *testing.T, by authority) {
	t.Helper()
	for from, to := range map[string]string{by.ServerCert: a.ServerCert, by.ServerKey: a.ServerKey} {
		replaceFile(t, to, read(t, from))
	}
}

func replaceFile(t *testing.T, path, content string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// serve serves an echo over TLS.
func serve(t *testing.T, c *Certificate) (address string) {
	t.Helper()
	ln := tls.NewListener(open(t, Address{Network: "tcp", Name: "127.0.0.1:0"}, Options{}), c.Config())
	echo(t, ln)
	return ln.Addr().String()
}

func load(t *testing.T, a authority) *Certificate {
	t.Helper()
	c, err := LoadCertificate(a.ServerCert, a.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trusts reports whether a client of the authority accepts the server's certificate.
func (a authority) trusts(t *testing.T, address string) bool {
	t.Helper()
	conn, err := tls.Dial("tcp", address, a.ClientConfig(t))
	return echoes(t, conn, err)
}

func TestACertificateIsReloadedWhenItsFilesChange(t *testing.T) {
	old, next := newAuthority(t), newAuthority(t)
	c := load(t, old)
	address := serve(t, c)
	if changed, err := c.Refresh(); changed || err != nil {
		t.Errorf("nothing has changed, and it says %t, %v", changed, err)
	}
	if !old.trusts(t, address) {
		t.Error("the certificate is not shown")
	}
	old.replace(t, next)
	if !old.trusts(t, address) {
		t.Error("the old certificate is not served until the next Refresh")
	}
	if changed, err := c.Refresh(); !changed || err != nil {
		t.Errorf("the files have changed, and it says %t, %v", changed, err)
	}
	if old.trusts(t, address) || !next.trusts(t, address) {
		t.Error("the new certificate is not shown")
	}
}

func TestUnusableFilesChangeNothing(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	c := load(t, a)
	address := serve(t, c)
	key := read(t, a.ServerKey)
	for name, spoil := range map[string]func(){
		"the key of another":   func() { replaceFile(t, a.ServerKey, read(t, other.ServerKey)) },
		"a key that is empty":  func() { replaceFile(t, a.ServerKey, "") },
		"a key that is gone":   func() { os.Remove(a.ServerKey) },
		"something else there": func() { replaceFile(t, a.ServerKey, "hello") },
	} {
		spoil()
		if changed, err := c.Refresh(); !changed || err == nil || !strings.Contains(err.Error(), "must match and be PEM files") {
			t.Errorf("%s: %t, %v", name, changed, err)
		}
		if changed, err := c.Refresh(); changed || err != nil {
			t.Errorf("%s: the same error is reported again: %v", name, err)
		}
		if !a.trusts(t, address) {
			t.Errorf("%s: the old certificate does not go on", name)
		}
	}
	replaceFile(t, a.ServerKey, key)
	if changed, err := c.Refresh(); !changed || err != nil {
		t.Errorf("what was mended is not read: %t, %v", changed, err)
	}
}

func TestUnusableFilesAreAnErrorAtTheStart(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	for name, files := range map[string][2]string{
		"no such file":   {filepath.Join(t.TempDir(), "cert.pem"), a.ServerKey},
		"do not belong":  {a.ServerCert, other.ServerKey},
		"the other way":  {a.ServerKey, a.ServerCert},
		"no private key": {a.ServerCert, a.ServerCert},
	} {
		if _, err := LoadCertificate(files[0], files[1]); err == nil || !strings.Contains(err.Error(), files[0]) || !strings.Contains(err.Error(), files[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrowsersAreOfferedHTTP1AndModernTLS(t *testing.T) {
	a := newAuthority(t)
	address := serve(t, load(t, a))
	browser := a.ClientConfig(t)
	browser.NextProtos = []string{"h2", "http/1.1"}
	conn, err := tls.Dial("tcp", address, browser)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("they agree on %q", got)
	}
	old := a.ClientConfig(t)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 is good enough")
	}
}

func TestAUnixSocketStaysWithoutTLS(t *testing.T) {
	c := load(t, newAuthority(t))
	file := &Listener{Listener: open(t, at(socketPath(t)), private)}
	if file.EnableTLS(c) || file.TLS != nil || !strings.HasPrefix(file.URLs(), "unix:") {
		t.Errorf("it is served with TLS, as %s", file.URLs())
	}
	port := &Listener{Listener: open(t, Address{Network: "tcp", Name: "127.0.0.1:0"}, Options{}), Proxy: true}
	if !port.EnableTLS(c) || port.TLS == nil || !strings.HasPrefix(port.URLs(), "PROXY https://") {
		t.Errorf("a port is served without TLS, as %s", port.URLs())
	}
}
