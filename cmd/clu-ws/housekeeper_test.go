package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// put replaces a file by another atomically, as certbot does.
func put(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+".next", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".next", to); err != nil {
		t.Fatal(err)
	}
}

// browser returns the transport of a browser that trusts an authority.
func browser(t *testing.T, c *testkit.Certificates) ws.Dialer {
	config := c.ClientConfig(t)
	config.Certificates = nil
	return ws.Dialer{TLSConfig: config}
}

func TestACertificateIsReplacedWithoutClosingConnections(t *testing.T) {
	now, next, last := testkit.NewCertificates(t), testkit.NewCertificates(t), testkit.NewCertificates(t)
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put(t, now.ServerCert, cert)
	put(t, now.ServerKey, key)
	path := filepath.Join(dir, "clu-ws.sock")
	p := spawn(t, nil, "--listen", "127.0.0.1:0", "--listen", "unix:"+path, "--tls-cert", cert, "--tls-key", key)
	address := p.announcedAddress(t, "https://")
	if line := p.announcementLine(t); !strings.Contains(line, "https://"+address+" and wss://"+address+", unix:"+path) {
		t.Errorf("it says %q", line)
	}
	mustAnswer(t, testkit.DialWebSocketWith(t, overUnix(path), "ws://localhost/"))
	p.await(t, "without TLS")

	url := "wss://" + address + "/"
	early := testkit.DialWebSocketWith(t, browser(t, now), url)
	mustAnswer(t, early)
	page, err := get(t, &http.Transport{TLSClientConfig: now.ClientConfig(t)}, "https://"+address+"/")
	if err != nil || !strings.Contains(page, "<html") {
		t.Errorf("the page: %v\n%s", err, page)
	}

	// By signal: first the key belongs to another certificate, then it is right.
	put(t, next.ServerKey, key)
	p.signal(t, syscall.SIGHUP)
	p.await(t, "the old one stays in use")
	mustAnswer(t, testkit.DialWebSocketWith(t, browser(t, now), url))
	put(t, next.ServerCert, cert)
	p.signal(t, syscall.SIGHUP)
	p.await(t, "the certificate was reloaded")
	mustAnswer(t, testkit.DialWebSocketWith(t, browser(t, next), url))
	if err := tryConnect(t, browser(t, now), url); err == nil {
		t.Error("the old certificate is shown to a new client")
	}

	// Without a signal, once the files have changed.
	put(t, last.ServerCert, cert)
	put(t, last.ServerKey, key)
	testkit.Eventually(t, testkit.Patience, "a client that trusts the last certificate", func() error {
		err := tryConnect(t, browser(t, last), url)
		return err
	})
	mustAnswer(t, early)
}

func TestABridgeUnderSystemdReportsItsState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	expect := func(want string) {
		t.Helper()
		_ = manager.SetReadDeadline(time.Now().Add(testkit.Patience))
		for buf := make([]byte, 1000); ; {
			n, _, err := manager.ReadFrom(buf)
			if err != nil {
				t.Fatalf("%q is not received: %v", want, err)
			}
			if strings.HasPrefix(string(buf[:n]), want) {
				return
			}
		}
	}
	p := spawn(t, []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=200000"}, "--host", "127.0.0.1", "--port", "0")
	expect("READY=1\nSTATUS=NOT LINKED")
	expect("WATCHDOG=1")
	p.signal(t, syscall.SIGHUP)
	expect("RELOADING=1\nMONOTONIC_USEC=")
	expect("READY=1")
	p.await(t, "nothing to reload")
	p.signal(t, syscall.SIGTERM)
	expect("STOPPING=1")
	p.ends(t)
	if err := p.Err(); err != nil {
		t.Error(err)
	}
}

func TestABridgeThatFailsFastIsNeverReadyAndSaysWhy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	p := spawn(t, []string{"NOTIFY_SOCKET=" + path}, "--host", "127.0.0.1", "--port", "0", "--fail-fast")
	p.ends(t)
	said := received(t, manager, path)
	if want := "STATUS=failed: nothing listens at amqp://"; len(said) != 1 || !strings.HasPrefix(said[0], want) {
		t.Errorf("systemd receives %q, and should only receive %q", said, want)
	}
	if strings.Contains(p.Output.String(), releaseVersion+" listens") {
		t.Errorf("it says:\n%s", p.Output)
	}
}

// received returns what a service manager has been sent until now.
func received(t *testing.T, manager net.PacketConn, path string) (all []string) {
	t.Helper()
	const end = "the end"
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(end)); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 1000); ; {
		n, _, err := manager.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		if string(buf[:n]) == end {
			return all
		}
		all = append(all, string(buf[:n]))
	}
}
