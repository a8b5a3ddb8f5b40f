package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// shownFlags returns the flags of clu-ws websocket in --help.
func shownFlags() (shown []cli.Flag) {
	for _, f := range websocketCommand(nil, nil).Flags {
		if v, ok := f.(cli.VisibleFlag); ok && v.IsVisible() {
			shown = append(shown, f)
		}
	}
	return shown
}

func TestTheFlagsOfCLUHaveTheirMeaningAndDefaults(t *testing.T) {
	defaults := map[string]string{"port": "9876", "host": "0.0.0.0", "rabbitmq-host": "localhost", "rabbitmq-port": "5672",
		"user": "guest", "vhost": "/", "exchange": "sdss_exchange", "nan": "string"}
	aliases := map[string]string{"port": "p", "rabbitmq-host": "H", "rabbitmq-port": "P"}
	seen := map[string]bool{}
	for _, f := range shownFlags() {
		name := f.Names()[0]
		seen[name] = true
		doc := f.(cli.DocGenerationFlag)
		if want, ok := defaults[name]; ok && strings.Trim(doc.GetDefaultText(), `"`) != want {
			t.Errorf("--%s defaults to %s, want %s", name, doc.GetDefaultText(), want)
		}
		if want, ok := aliases[name]; ok && f.Names()[1] != want {
			t.Errorf("--%s has the alias %s, want %s", name, f.Names()[1], want)
		}
		want := "CLU_WS_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if env := doc.GetEnvVars(); len(env) != 1 || env[0] != want {
			t.Errorf("--%s reads %v, want %s", name, env, want)
		}
	}
	for name := range defaults {
		if !seen[name] {
			t.Errorf("there is no --%s", name)
		}
	}
}

func TestAPasswordIsNeverShown(t *testing.T) {
	const secret = "sesame"
	t.Setenv("CLU_WS_PASSWORD", secret)
	if help := output(t, "websocket", "--help"); strings.Contains(help, secret) {
		t.Error("--help shows the password")
	}
	n := testkit.RabbitMQ(t)
	p := start(t, "websocket", "--port", "0", "-H", "127.0.0.1", "-P", fmt.Sprint(n.Port()), "--log-level", "debug")
	line := p.out.await(t, "NOT LINKED")
	if !strings.Contains(line, `refused user "guest"`) {
		t.Errorf("it says %q", line)
	}
	p.log.await(t, "not linked to the broker")
	if strings.Contains(p.out.String()+p.log.String(), secret) {
		t.Error("the output or the log shows the password")
	}
	for _, url := range []string{"amqp://u:sesame@host:port/", "amqp://u:ses#ame@host/", "amqp://u:12/sesame@host/", "ftp://u:sesame@host/"} {
		if got := failure(t, "websocket", "--port", "0", "--url", url); strings.Contains(got, "ses") {
			t.Errorf("an error shows the password: %s", got)
		}
	}
}

func TestALinkUsesCredentialsOfTheFlagsThatTheURLLacks(t *testing.T) {
	n := testkit.RabbitMQ(t)
	n.AddUser(t, "someone", "p@ss/word")
	t.Setenv("CLU_WS_PASSWORD", "p@ss/word")
	p := start(t, "websocket", "--port", "0", "--user", "someone", "--url", fmt.Sprintf("amqp://127.0.0.1:%d/", n.Port()))
	p.log.await(t, `"linked to the broker" broker=amqp://127.0.0.1:`)
	p = start(t, "websocket", "--port", "0", "--url", fmt.Sprintf("amqp://someone@127.0.0.1:%d/", n.Port()))
	p.log.await(t, `"linked to the broker" broker=amqp://127.0.0.1:`)
}

// The tests of amqpx do the same with RabbitMQ. The broker ends a connection without a certificate of its authority.
func TestTheBridgeUsesTLSToTheBroker(t *testing.T) {
	certs := testkit.NewCertificates(t)
	pair, err := tls.LoadX509KeyPair(certs.ServerCert, certs.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: certs.ClientConfig(t).RootCAs,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Config{})
	go func() { _ = b.Serve(ln) }() // it ends when the broker is closed
	t.Cleanup(func() { b.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	p := start(t, "websocket", "--port", "0", "--ssl", "-H", "localhost", "-P", port,
		"--ca", certs.CA, "--cert", certs.ClientCert, "--key", certs.ClientKey)
	p.log.await(t, `"linked to the broker" broker=amqps://localhost:`+port)
}

func TestListeningBeyondLoopbackIsWarnedOf(t *testing.T) {
	open := start(t, "websocket", "--port", "0", "-P", "1")
	open.log.await(t, "commands are open to everyone")
	closed := start(t, "websocket", "--port", "0", "-P", "1", "--host", "127.0.0.1")
	closed.out.await(t, "NOT LINKED")
	if strings.Contains(closed.log.String(), "open to everyone") {
		t.Error("a bridge on loopback warns too")
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for _, args := range [][]string{
		{"websocket", "--host", "127.0.0.1", "--port", port},
		{"websocket", "--port", "0", "--embedded-broker", "--rabbitmq-port", port},
		{"demo", "--port", port},
		{"demo", "--port", "0", "--rabbitmq-port", port},
	} {
		if got := failure(t, args...); !strings.Contains(got, "another program does") || !strings.Contains(got, port) {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestABridgeWithAnEmbeddedBrokerIsReady(t *testing.T) {
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", "0", "--user", "me", "--password", "a@b/c")
	p.log.await(t, `"linked to the broker" broker=amqp://127.0.0.1:`)
	resp, err := http.Get("http://" + p.address(t) + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %s", resp.Status)
	}
}

func TestVersionAndHelpArePrinted(t *testing.T) {
	if got := output(t, "--version"); !strings.Contains(got, releaseVersion) {
		t.Errorf("--version prints %q", got)
	}
	for _, words := range []string{"websocket", "demo"} {
		if got := output(t); !strings.Contains(got, words) {
			t.Errorf("without arguments it does not mention %q:\n%s", words, got)
		}
	}
}
