package monitoring

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// startBridge starts a bridge with everything that has metrics, linked over TLS to a broker of its own, and serves its
// admin handler. It returns the URL of that.
func startBridge(t *testing.T) (admin string, certificate *listen.Certificate) {
	t.Helper()
	certs := testkit.NewCertificates(t)
	certificate, err := listen.LoadCertificate(certs.ServerCert, certs.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	guarded, err := access.New(access.Config{
		Roles: map[string]json.RawMessage{"all": json.RawMessage(`{"hear": [{}]}`)}, Anonymous: "all",
		Callback: &access.CallbackConfig{URL: "https://app.example/login"},
	}, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	var once sync.Once
	b, err := bridge.New(bridge.Config{
		Name: "monitored", Version: "1.2.3", Broker: []string{"amqps://guest:guest@" + startBroker(t, certificate) + "/"},
		TLS: certs.ClientConfig(t), Access: guarded, Presence: "who", Sources: []rooms.Source{{Exchange: "live"}}, Dialects: dialects(),
		KeywordHistory: 1 << 20, Export: new(filter.Filter), Logger: slog.New(slog.DiscardHandler), CertificateEnd: certificate.End,
		OnLink: func(s amqpx.State) {
			if s.Up {
				once.Do(func() { close(up) })
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	server := httptest.NewServer(b.Admin())
	t.Cleanup(func() {
		server.Close()
		stop()
		running.Wait()
	})
	select {
	case <-up:
	case <-time.After(testkit.Patience):
		t.Fatal("the bridge is not linked")
	}
	return server.URL, certificate
}

// dialects are a dialect that asks and tells backends.
func dialects() []dialect.Mount {
	place := dialect.Place{Path: "/shark", Rooms: "/live"}
	return []dialect.Mount{{Place: place, Name: "socketshark", New: func(h dialect.Host) (dialect.Dialect, error) {
		_, err := h.NewPublisher("status")
		if err != nil {
			return nil, err
		}
		return socketshark.New(&socketshark.Config{}, place, h)
	}}}
}

// startBroker starts a broker that speaks TLS, and returns its address.
func startBroker(t *testing.T, certificate *listen.Certificate) string {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := broker.New(broker.Config{})
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = server.Serve(tls.NewListener(plain, &tls.Config{GetCertificate: certificate.Config().GetCertificate}))
	})
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	_, port, _ := net.SplitHostPort(plain.Addr().String())
	return "localhost:" + port
}

// get returns the body of an answer, and its content type.
func get(t *testing.T, address, accept string) (body, kind string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	return string(text), response.Header.Get("Content-Type")
}

// Every alert and every panel is asked at a real Prometheus that scrapes a real bridge: each is understood, and names
// only metrics and labels that the bridge has.
func TestAlertsAndPanelsNameSeriesThatABridgeHas(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	admin, certificate := startBridge(t)

	text, kind := get(t, admin+"/metrics", "")
	if out, err := testkit.Promtool(t, text, "check", "metrics"); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	for _, which := range []string{"listener", "broker"} { // they show the same one
		if want := fmt.Sprintf("cluws_tls_certificate_not_after_timestamp_seconds{certificate=%q} %v\n", which, float64(certificate.End().Unix())); !strings.Contains(text, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("a client that asks for nothing gets %s", kind)
	}
	if text, kind := get(t, admin+"/metrics", "application/openmetrics-text; version=1.0.0"); !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(text, "\n# EOF\n") {
		t.Errorf("as OpenMetrics they are %s", kind)
	}

	p := startPrometheus(t, admin)
	for _, a := range alerts(t) {
		if _, err := p.count(a.Expr); err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
		p.hasSeries(t, a.Alert, a.Expr)
		p.hasAlternatives(t, a.Alert, a.Expr)
	}
	for _, panel := range panels(t) {
		for _, target := range panel.Targets {
			expr := grafanaVariables.Replace(target.Expr)
			n, err := p.count(expr)
			// What shows only what has happened is empty so far.
			if empty := strings.HasSuffix(expr, "> 0"); err != nil || n == 0 && !empty {
				t.Errorf("the panel %q: %s has %d series, %v", panel.Title, expr, n, err)
			}
			p.hasSeries(t, panel.Title, expr)
			p.hasAlternatives(t, panel.Title, expr)
			p.hasLegend(t, panel.Title, expr, target.LegendFormat)
		}
	}
}
