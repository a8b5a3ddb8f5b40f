package bridge

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A program is known by the subject of its certificate, on a WebSocket and over HTTP.
func TestAClientIsKnownByItsCertificate(t *testing.T) {
	files, others := testkit.NewCertificates(t), testkit.NewCertificates(t)
	h := newAccessHarness(t, func(c *access.Config) {
		c.ClientsCA, c.Certificates = files.CA, map[string]string{"CN=clu-ws": "observer"}
	})
	certificate, err := listen.LoadCertificate(files.ServerCert, files.ServerKey)
	if err == nil {
		err = certificate.SetClientCAs(files.CA)
	}
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		err = h.ListenWith(ln, ListenOptions{TLS: certificate.Config()})
	}
	if err != nil {
		t.Fatal(err)
	}
	url := "wss://localhost:" + ln.Addr().String()[strings.LastIndexByte(ln.Addr().String(), ':')+1:]
	shows := files.ClientConfig(t)
	dialer := ws.Dialer{TLSConfig: shows, Protocols: []string{Subprotocol}}
	c := testkit.DialWebSocketWith(t, dialer, url+"/")
	hello, _ := next(t, c)["access"].(map[string]any)
	if hello["name"] != "clu-ws" || hello["expires"] == nil {
		t.Errorf("the hello says %v", hello)
	}
	h.connects(dialer, url+"/live/a", 101)
	h.connects(dialer, url+"/live/b", 403)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: shows, DisableKeepAlives: true}}
	resp, err := client.Get(strings.Replace(url, "wss:", "https:", 1) + "/whoami")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text := readAll(resp.Body); !strings.Contains(text, `"source":"certificate"`) {
		t.Errorf("/whoami says %s", text)
	}

	without := shows.Clone()
	without.Certificates = nil
	h.connects(ws.Dialer{TLSConfig: without}, url+"/live/a", 401)
	foreign := shows.Clone()
	foreign.Certificates = others.ClientConfig(t).Certificates
	h.connects(ws.Dialer{TLSConfig: foreign}, url+"/", 0)

	h.reload(func(c *access.Config) { c.Certificates = map[string]string{"CN=other": "observer"} })
	if code, _ := closes(t, c); code != 3003 && code != 3000 {
		t.Errorf("after a reload without its role, it is closed with %d", code)
	}
	h.connects(dialer, url+"/", 403)
}

// connects checks the status that a dialer gets; 0 is no answer in HTTP.
func (h *accessHarness) connects(dialer ws.Dialer, url string, want int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), testkit.Patience)
	defer cancel()
	if dialer.TLSConfig != nil {
		dialer.TLSConfig = &tls.Config{RootCAs: dialer.TLSConfig.RootCAs, Certificates: dialer.TLSConfig.Certificates, ServerName: "localhost"}
	}
	got := 0
	c, err := testkit.OpenWebSocket(ctx, dialer, url)
	if err == nil {
		c.Close()
		got = http.StatusSwitchingProtocols
	} else if refused, ok := err.(ws.StatusError); ok {
		got = int(refused)
	}
	if got != want {
		h.t.Errorf("%s: the status is %d (%v), want %d", url, got, err, want)
	}
}
