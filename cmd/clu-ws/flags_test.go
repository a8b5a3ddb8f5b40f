package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

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
		"user": "guest", "vhost": "/", "exchange": "sdss_exchange", "nan": "null"}
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

func TestAWrongFlagIsExplained(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	ws := func(args ...string) []string { return append([]string{"websocket", "--port", "0"}, args...) }
	for _, c := range []struct {
		args  []string
		words string
	}{
		{[]string{"webscoket"}, `no command "webscoket"`},
		{ws("--prot", "1"), "prot"},
		{ws("--rabbitmq-port", "x"), "rabbitmq-port"},
		{ws("stray"), `"stray" is not understood`},
		{[]string{"websocket", "--port", "70000"}, "--port 70000 is not a port"},
		{[]string{"websocket", "--listen", "/run/clu-ws.sock"}, "unix:/path/to/socket"},
		{ws("--listen", "127.0.0.1:0"), "--listen and --port"},
		{ws("--socket-mode", "rw"), "as 0660"},
		{ws("--origin", "console.example"), "--origin: "},
		{ws("--origin", "https://a https://b/"), `"https://b/" is not an origin`},
		{ws("--trusted-proxy", "localhost"), "--trusted-proxy: "},
		{[]string{"websocket", "--listen", "proxy:/run/x"}, "--listen: "},
		{[]string{"demo", "--port", "0", "--origin", "x"}, "--origin: "},
		{ws("--socket-mode", "1777"), "as 0660"},
		{ws("--tls-cert", notPEM), "give both"},
		{ws("--tls-cert", notPEM, "--tls-key", notPEM), "--tls-cert and --tls-key: "},
		{ws("--nan", "zero"), "choose null, string or python"},
		{ws("--log-level", "loud"), "choose debug, info, warn or error"},
		{ws("--url", "http://host/"), "amqp://"},
		{ws("--url", "amqp://host/", "--vhost", "x"), "--url and --vhost"},
		{ws("--ca", notPEM), "--ssl"},
		{ws("--ssl", "--ca", notPEM), "no PEM certificate"},
		{ws("--ssl", "--ca", "/nowhere.pem"), "no such file"},
		{ws("--ssl", "--cert", notPEM), "give both"},
		{ws("--ssl", "--cert", notPEM, "--key", notPEM), "--cert and --key"},
		{ws("--embedded-broker", "--url", "amqp://host/"), "--embedded-broker is the broker"},
		{ws("--embedded-broker", "--vhost", "x"), "leave --vhost out"},
		{ws("--embedded-broker", "--ssl"), "leave --ssl out"},
		{ws("--embedded-broker", "-P", "-1"), "--rabbitmq-port -1 is not a port"},
		{ws("-P", "99999"), "--rabbitmq-port 99999 is not a port"},
		{ws("-P", "0"), "--rabbitmq-port 0 is not a port"},
		{ws("-H", ""), `--rabbitmq-host "" is not a host`},
		{ws("-H", "a b"), `--rabbitmq-host "a b" is not a host`},
		{ws("-H", "rabbit:5673"), "--rabbitmq-port"},
		{ws("--vhost", ""), "is not a virtual host"},
		{ws("--exchange", strings.Repeat("x", 300)), "the exchange name is 300 bytes long"},
		{ws("--fail-fast", "-P", "1"), "is the broker running?"},
		{ws("--client-backlog", "lots"), "16MiB"},
		{ws("--max-message", "1"), "--max-message"},
		{ws("--client-lag", "1ms"), "at least 1s"},
		{ws("--slow", "down"), "choose close or skip"},
		{ws("--max-clients", "0"), "at least 1"},
		{ws("--name", strings.Repeat("x", 300)), "--name"},
		{ws("--durable", "yes"), "choose no, expires=60s or stream"},
		{ws("--durable", "expires=soon"), "write expires=60s"},
		{ws("--durable", "expires=10ms"), "from 1s"},
		{ws("--durable", "expires=2000h"), "to 1193h"},
		{ws("--durable", "stream", "--embedded-broker"), "nothing there is durable"},
		{ws("--stream-name", "x"), "--stream-name needs --durable stream"},
		{ws("--durable", "expires=60s", "--stream-bytes", "1GiB"), "--stream-bytes needs --durable stream"},
		{ws("--durable", "stream", "--stream-age", "1s"), "must be at least 1m0s"},
		{ws("--durable", "stream", "--stream-bytes", "1KiB"), "10GiB"},
		{ws("--durable", "stream", "--stream-name", strings.Repeat("x", 300)), "stream"},
		{ws("--history", "-1"), "0 keeps none"},
		{ws("--history-bytes", "few"), "--history-bytes"},
		{ws("--history-age", "1ms"), "--history-age 1ms must be at least 1s"},
		{ws("--source", "live"), `"live" of the source "live" is not understood; write exchange=NAME`},
		{ws("--source", "path=/live"), "a source needs an exchange"},
		{ws("--source", "exchange=live,exchange=x"), "has two of exchange"},
		{ws("--source", "exchange=live,path="), "has an empty path"},
		{ws("--source", "exchange=live,type=direct"), "choose topic or fanout"},
		{ws("--source", "exchange=live,type=fanout,binding=x"), "leave the binding out"},
		{ws("--source", "exchange=live,path=live"), "begin it with /"},
		{ws("--source", "exchange=live", "--source", "exchange=live,path=/x"), "two sources are the exchange live"},
		{ws("--source", "exchange=live", "--source", "exchange=x,path=/live"), "have the same path /live"},
		{ws("--source", "exchange=sdss_exchange"), "the actors' exchange"},
		{ws("--source", "exchange=replies"), "rename the exchange"},
		{ws("--presence", "sdss_exchange"), "the exchange of presence is the actors'"},
		{ws("--presence", strings.Repeat("x", 300)), "the exchange name is 300 bytes long"},
		{ws("--shed-rate", "0"), "--shed-rate 0 must be at least 1"},
		{ws("--drain-timeout", "0"), "--drain-timeout 0s must be at least 1s"},
		{ws("--admin", "9877"), "--admin: "},
		{ws("--admin", "/run/clu-ws.sock"), "unix:/path/to/socket"},
		{ws("--admin", "unix:"), "--admin: unix: has no path"},
	} {
		if got := failure(t, c.args...); !strings.Contains(got, c.words) {
			t.Errorf("%s: %q does not mention %q", strings.Join(c.args, " "), got, c.words)
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
	p.out.await(t, "linked to amqp://127.0.0.1:")
	p = start(t, "websocket", "--port", "0", "--url", fmt.Sprintf("amqp://someone@127.0.0.1:%d/", n.Port()))
	p.out.await(t, "linked to amqp://127.0.0.1:")
}

func TestTheBridgeUsesTLSToTheBroker(t *testing.T) {
	n := testkit.StartRabbitMQ(t, testkit.WithClientCertificates())
	_, port, err := net.SplitHostPort(strings.Trim(strings.TrimPrefix(n.TLSURL(), "amqps://guest:guest@"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "websocket", "--port", "0", "--ssl", "-H", "localhost", "-P", port,
		"--ca", n.TLS.CA, "--cert", n.TLS.ClientCert, "--key", n.TLS.ClientKey)
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
	p.out.await(t, "linked to amqp://127.0.0.1:")
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
