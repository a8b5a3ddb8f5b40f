package main

import (
	"fmt"
	"io"
	"slices"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
)

// configured returns the configuration that clu-ws websocket makes of flags and environment.
func configured(t *testing.T, args ...string) (cfg bridge.Config) {
	t.Helper()
	app := newApp(io.Discard, io.Discard)
	app.Commands = slices.DeleteFunc(app.Commands, func(c *cli.Command) bool { return c.Name != "websocket" })
	app.Commands[0].Action = func(c *cli.Context) error {
		s, err := readSettings(c, readWebsocket)
		if err == nil {
			cfg = s.bridge
		}
		return err
	}
	if err := app.RunContext(t.Context(), append([]string{"clu-ws", "websocket"}, args...)); err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return cfg
}

func brokerURLsOf(cfg bridge.Config) any { return cfg.Broker }

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
