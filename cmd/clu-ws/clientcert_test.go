package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// whoAmI asks an https server who a client with a certificate is; without one if it is nil.
func whoAmI(t *testing.T, address string, server *testkit.Certificates, client *tls.Certificate) string {
	t.Helper()
	config := server.ClientConfig(t)
	config.Certificates = nil
	if client != nil {
		// Whether or not the server's list of authorities has its issuer.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client, nil }
	}
	text, err := get(t, &http.Transport{TLSClientConfig: config}, "https://"+address+"/whoami")
	if err != nil {
		return err.Error()
	}
	return text
}

func TestClientsAreKnownByTheirCertificatesAndTheAuthoritiesCanBeReplaced(t *testing.T) {
	first, second := testkit.NewCertificates(t), testkit.NewCertificates(t)
	client := func(of *testkit.Certificates) *tls.Certificate {
		t.Helper()
		pair, err := tls.LoadX509KeyPair(of.ClientCert, of.ClientKey)
		if err != nil {
			t.Fatal(err)
		}
		return &pair
	}
	name := client(first).Leaf.Subject.CommonName
	dir := t.TempDir()
	path := filepath.Join(dir, "clu-ws.yaml")
	file := func(authorities *testkit.Certificates) string {
		return fmt.Sprintf("host: 127.0.0.1\nport: 0\ntls-cert: %s\ntls-key: %s\naccess:\n  roles: {viewer: {hear: [{}]}}\n  clients-ca: %s\n  certificates: {%q: viewer}\n",
			first.ServerCert, first.ServerKey, authorities.CA, "CN="+name)
	}
	replaceFile(t, path, file(first))
	p := spawn(t, nil, "--config", path)
	address := p.announcedAddress(t, "https://")
	if got := whoAmI(t, address, first, client(first)); !strings.Contains(got, `"source":"certificate"`) || !strings.Contains(got, `"role":"viewer"`) {
		t.Errorf("with a certificate: %s", got)
	}
	if got := whoAmI(t, address, first, nil); strings.Contains(got, "viewer") {
		t.Errorf("without: %s", got)
	}
	if got := whoAmI(t, address, first, client(second)); strings.Contains(got, "viewer") {
		t.Errorf("with a certificate of another authority: %s", got)
	}

	replaceFile(t, path, file(second))
	p.await(t, "the configuration was reloaded")
	if got := whoAmI(t, address, first, client(second)); !strings.Contains(got, `"role":"viewer"`) {
		t.Errorf("with a certificate of the new authority: %s", got)
	}
	if got := whoAmI(t, address, first, client(first)); strings.Contains(got, "viewer") {
		t.Errorf("with a certificate of the old authority: %s", got)
	}

	replaceFile(t, path, strings.Replace(file(second), second.CA, path, 1))
	if got := failure(t, "check", "--config", path); !strings.Contains(got, path+":7:") {
		t.Errorf("check says %s", got)
	}
	line := p.await(t, "the configuration cannot be used")
	if !strings.Contains(line, path+":7:") {
		t.Errorf("it logs %s", line)
	}
	if got := whoAmI(t, address, first, client(second)); !strings.Contains(got, `"role":"viewer"`) {
		t.Errorf("after a file that cannot be used: %s", got)
	}
}

func TestCertificatesOfClientsNeedTLS(t *testing.T) {
	certs := testkit.NewCertificates(t)
	path := writeFile(t, "clu-ws.yaml", "access:\n  roles: {viewer: {hear: [{}]}}\n  anonymous: viewer\n  clients-ca: "+certs.CA+"\n")
	for _, subcommand := range []string{"check", "websocket"} {
		if got := failure(t, subcommand, "--config", path); !strings.Contains(got, path+":4:15: clients show certificates only over TLS") {
			t.Errorf("%s: %s", subcommand, got)
		}
	}
}
