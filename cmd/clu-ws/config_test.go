package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// configured returns the configuration that clu-ws websocket makes of flags and environment.
func configured(t *testing.T, args ...string) (cfg bridge.Config) {
	t.Helper()
	app := newApp(io.Discard, io.Discard)
	app.Commands = slices.DeleteFunc(app.Commands, func(c *cli.Command) bool { return c.Name != "websocket" })
	app.Commands[0].Action = func(c *cli.Context) (err error) {
		cfg, err = bridgeConfig(c)
		return err
	}
	if err := app.RunContext(t.Context(), append([]string{"clu-ws", "websocket"}, args...)); err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return cfg
}

func brokerURLsOf(cfg bridge.Config) any { return cfg.Broker }

func TestEachFlagAndItsVariableReachTheBridge(t *testing.T) {
	certs := testkit.NewCertificates(t)
	pem, err := os.ReadFile(certs.CA)
	if err != nil {
		t.Fatal(err)
	}
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM(pem)
	stream := []string{"--durable", "stream"}
	flags := []struct {
		flag, value string
		with        []string // what the flag cannot be without
		read        func(bridge.Config) any
		want        any
	}{
		{"rabbitmq-host", "rabbit", nil, brokerURLsOf, []string{"amqp://guest:guest@rabbit:5672/"}},
		{"rabbitmq-port", "99", nil, brokerURLsOf, []string{"amqp://guest:guest@localhost:99/"}},
		{"user", "me", nil, brokerURLsOf, []string{"amqp://me:guest@localhost:5672/"}},
		{"password", "night time, #1", nil, brokerURLsOf, []string{"amqp://guest:night%20time,%20%231@localhost:5672/"}},
		{"vhost", "obs", nil, brokerURLsOf, []string{"amqp://guest:guest@localhost:5672/obs"}},
		{"url", "amqps://u:p,q@one/", nil, brokerURLsOf, []string{"amqps://u:p,q@one/"}},
		{"ssl", "true", nil, brokerURLsOf, []string{"amqps://guest:guest@localhost:5672/"}},
		{"ca", certs.CA, []string{"--ssl"}, func(c bridge.Config) any { return c.TLS.RootCAs.Equal(ca) }, true},
		{"cert", certs.ClientCert, []string{"--ssl", "--key", certs.ClientKey}, func(c bridge.Config) any { return len(c.TLS.Certificates) }, 1},
		{"key", certs.ClientKey, []string{"--ssl", "--cert", certs.ClientCert}, func(c bridge.Config) any { return len(c.TLS.Certificates) }, 1},
		{"fail-fast", "true", nil, func(c bridge.Config) any { return c.FailFast }, true},
		{"embedded-broker", "true", nil, func(c bridge.Config) any { return len(c.Broker) }, 0},
		{"name", "console", nil, func(c bridge.Config) any { return c.Name }, "console"},
		{"exchange", "other", nil, func(c bridge.Config) any { return c.Exchange }, "other"},
		{"exchange", "", nil, func(c bridge.Config) any { return c.Exchange }, actor.Exchange},
		{"nan", "string", nil, func(c bridge.Config) any { return c.Envelope.NaN }, actor.NaNString},
		{"naive-time", "true", nil, func(c bridge.Config) any { return c.Envelope.NaiveTime }, true},
		{"check-consumers", "true", nil, func(c bridge.Config) any { return c.CheckConsumers }, true},
		{"batch", "50ms", nil, func(c bridge.Config) any { return c.Batch }, 50 * time.Millisecond},
		{"clu-strict", "true", nil, func(c bridge.Config) any { return c.Strict }, true},
		{"durable", "no", nil, func(c bridge.Config) any { return c.Durable }, bridge.Durable{}},
		{"durable", "expires=90s", nil, func(c bridge.Config) any { return c.Durable }, bridge.Durable{Expires: 90 * time.Second}},
		{"durable", "stream", nil, func(c bridge.Config) any { return *c.Durable.Stream }, bridge.Stream{Age: 24 * time.Hour, Bytes: 1 << 30}},
		{"stream-name", "all", stream, func(c bridge.Config) any { return c.Durable.Stream.Name }, "all"},
		{"stream-age", "1h", stream, func(c bridge.Config) any { return c.Durable.Stream.Age }, time.Hour},
		{"stream-bytes", "10GiB", stream, func(c bridge.Config) any { return c.Durable.Stream.Bytes }, int64(10 << 30)},
		{"history", "0", nil, func(c bridge.Config) any { return c.History.Replies }, 0},
		{"history-bytes", "1MiB", nil, func(c bridge.Config) any { return c.History.Bytes }, 1 << 20},
		{"history-age", "1h", nil, func(c bridge.Config) any { return c.History.Age }, time.Hour},
		{"source", "exchange=live", nil, func(c bridge.Config) any { return c.Sources }, []rooms.Source{{Exchange: "live", Type: "topic", Binding: "#", Path: "/live"}}},
		{"presence", "who", nil, func(c bridge.Config) any { return c.Presence }, "who"},
		{"list-clients", "true", nil, func(c bridge.Config) any { return c.ListClients }, true},
		{"shed-rate", "7", nil, func(c bridge.Config) any { return c.Drain.ShedRate }, 7},
		{"log-commands", "false", nil, func(c bridge.Config) any { return c.LogCommands }, false},
		{"drain-timeout", "1m", nil, func(c bridge.Config) any { return c.Drain.Timeout }, time.Minute},
	}
	tested := map[string]bool{"admin": true} // by TestTheAdminServerHasAnAddressOfItsOwn
	for _, f := range flags {
		tested[f.flag] = true
		if got := f.read(configured(t, append(f.with, "--"+f.flag+"="+f.value)...)); !reflect.DeepEqual(got, f.want) {
			t.Errorf("--%s %s: %v, want %v", f.flag, f.value, got, f.want)
		}
		t.Run("environment/"+f.flag, func(t *testing.T) {
			t.Setenv("CLU_WS_"+strings.ToUpper(strings.ReplaceAll(f.flag, "-", "_")), f.value)
			if got := f.read(configured(t, f.with...)); !reflect.DeepEqual(got, f.want) {
				t.Errorf("%v, want %v", got, f.want)
			}
		})
	}
	for _, f := range slices.Concat(brokerFlags(), cluFlags(), historyFlags(), roomFlags(), adminFlags()) {
		if name := f.Names()[0]; !tested[name] {
			t.Errorf("--%s is not tested", name)
		}
	}
}

func TestSeveralURLsAreSeparateFlagsOrSeparatedBySpaces(t *testing.T) {
	want := []string{"amqp://guest:guest@one/", "amqp://guest:guest@two/"}
	if got := configured(t, "--url", "amqp://one/", "--url", "amqp://two/").Broker; !slices.Equal(got, want) {
		t.Errorf("flags: %q", got)
	}
	t.Setenv("CLU_WS_URL", "amqp://one/\n amqp://two/")
	if got := configured(t).Broker; !slices.Equal(got, want) {
		t.Errorf("the variable: %q", got)
	}
}

func TestSeveralSourcesAreSeparateFlagsOrSeparatedBySpaces(t *testing.T) {
	of := func(cfg bridge.Config) (exchanges []string) {
		for _, s := range cfg.Sources {
			exchanges = append(exchanges, s.Exchange+" "+s.Path)
		}
		return exchanges
	}
	want := []string{"live /live", "weather.all /weather"}
	if got := of(configured(t, "--source", "exchange=live", "--source", "exchange=weather.all,path=/weather,type=fanout")); !slices.Equal(got, want) {
		t.Errorf("flags: %q", got)
	}
	t.Setenv("CLU_WS_SOURCE", "exchange=live exchange=weather.all,path=/weather/")
	if got := of(configured(t)); !slices.Equal(got, want) {
		t.Errorf("the variable: %q", got)
	}
}

func TestEveryUserPasswordAndVirtualHostIsPassedOnUnchanged(t *testing.T) {
	const user, secret = "a:b@c", "p@s/s:w#%?d, x"
	for _, vhost := range []string{"/", "obs", "/obs", "//", "a/b", "a b", "a%2Fb", "%", "?x=1", "#x", "ü", "a:b", "a@b", "a,b", "a+b", "..", "*"} {
		cfg := configured(t, "--user", user, "--password", secret, "--vhost", vhost)
		if err := amqpx.CheckURL(cfg.Broker[0]); err != nil {
			t.Errorf("%q: %v", vhost, err)
		}
		got, err := amqp.ParseURI(cfg.Broker[0])
		if err != nil || got.Username != user || got.Password != secret || got.Vhost != vhost {
			t.Errorf("%q arrives as %q, %q and %q: %v", vhost, got.Username, got.Password, got.Vhost, err)
		}
	}
	for host, want := range map[string]string{"::1": "[::1]:5672", "[::1]": "[::1]:5672", "fe80::1%eth0": "[fe80::1%25eth0]:5672", "10.0.0.1": "10.0.0.1:5672"} {
		if got := configured(t, "-H", host).Broker[0]; got != "amqp://guest:guest@"+want+"/" {
			t.Errorf("--rabbitmq-host %s: %s", host, got)
		}
	}
}

func TestCredentialsThatAURLLacksComeFromTheFlags(t *testing.T) {
	for given, want := range map[string]string{
		"amqp://h/":        "amqp://me:sesame@h/",
		"amqp://you@h/":    "amqp://you:sesame@h/",
		"amqp://you:own@h": "amqp://you:own@h",
		"amqp://you:@h/":   "amqp://you:@h/",
		"amqp://:own@h/":   "amqp://me:own@h/",
	} {
		t.Run(given, func(t *testing.T) {
			t.Setenv("CLU_WS_PASSWORD", "sesame")
			if got := fmt.Sprint(configured(t, "--user", "me", "--url", given).Broker); got != "["+want+"]" {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}
