package listen

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// proxied serves one connection of a listener behind a proxy, and tells of what was
// read first and from whom.
func proxied(t *testing.T, c *Certificate) (addr string, first <-chan string) {
	t.Helper()
	ln := Secure(&ProxyListener{open(t, Address{"tcp", "127.0.0.1:0"}, Options{})}, c)
	heard := make(chan string, 1)
	go func() {
		defer close(heard)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		buf := make([]byte, 5)
		if _, err := io.ReadFull(conn, buf); err != nil {
			heard <- err.Error()
			return
		}
		heard <- string(buf) + " from " + conn.RemoteAddr().String()
	}()
	return ln.Addr().String(), heard
}

func TestAProxyHeaderComesBeforeTLS(t *testing.T) {
	a := newAuthority(t)
	for _, certificate := range []*Certificate{nil, load(t, a)} {
		addr, first := proxied(t, certificate)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		header := "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"
		for i := range header {
			if _, err := io.WriteString(conn, header[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if certificate != nil {
			cfg := a.ClientConfig(t)
			cfg.ServerName = "127.0.0.1"
			conn = tls.Client(conn, cfg)
		}
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Fatal(err)
		}
		if got := <-first; got != "hello from 192.0.2.1:56324" {
			t.Errorf("with TLS: %v, got %q", certificate != nil, got)
		}
	}
}

func TestWithoutItsProxyHeaderAConnectionIsNotRead(t *testing.T) {
	addr, first := proxied(t, nil)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-first; !strings.Contains(got, "does not begin with a PROXY protocol header") {
		t.Errorf("got %q", got)
	}
}

func TestAProxyHeaderForTLSThatExpectsNoneIsAnsweredInWords(t *testing.T) {
	address := serve(t, load(t, newAuthority(t)))
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, header); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "--proxy-protocol") {
			t.Errorf("%q is answered with %q, %v", header, answer, err)
		}
	}
}
