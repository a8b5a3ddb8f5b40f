package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wrongFlags is a command line and a part of the error that it must cause.
type wrongFlags struct {
	args  []string
	words string
}

func websocketArgs(args ...string) []string {
	return append([]string{"websocket", "--port", "0"}, args...)
}

func TestAWrongFlagIsExplained(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(wrongListenFlags(notPEM), wrongBrokerFlags(notPEM), wrongLimitFlags, wrongHistoryAndRoomFlags) {
		if got := failure(t, c.args...); !strings.Contains(got, c.words) {
			t.Errorf("%s: %q does not mention %q", strings.Join(c.args, " "), got, c.words)
		}
	}
}

func wrongListenFlags(notPEM string) []wrongFlags {
	return []wrongFlags{
		{[]string{"webscoket"}, `no command "webscoket"`},
		{websocketArgs("--prot", "1"), "prot"},
		{websocketArgs("--rabbitmq-port", "x"), "rabbitmq-port"},
		{websocketArgs("stray"), `"stray" is not understood`},
		{[]string{"websocket", "--port", "70000"}, "--port 70000 is not a port"},
		{[]string{"websocket", "--listen", "/run/clu-ws.sock"}, "unix:/path/to/socket"},
		{websocketArgs("--listen", "127.0.0.1:0"), "--listen and --port"},
		{[]string{"websocket", "--admin", "127.0.0.1:9876"}, "--port 0.0.0.0:9876 and --admin 127.0.0.1:9876 are the same port"},
		{[]string{"websocket", "--listen", "127.0.0.1:1 :1"}, "--listen 127.0.0.1:1 and --listen :1 are the same port"},
		{[]string{"websocket", "--listen", "unix:/x", "--admin", "unix:/x"}, "--listen unix:/x and --admin unix:/x are the same"},
		{websocketArgs("--socket-mode", "rw"), "as 0660"},
		{websocketArgs("--origin", "console.example"), "--origin: "},
		{websocketArgs("--origin", "https://a https://b/"), `"https://b/" is not an origin`},
		{websocketArgs("--trusted-proxy", "localhost"), "--trusted-proxy: "},
		{[]string{"websocket", "--listen", "proxy:/run/x"}, "--listen: "},
		{[]string{"demo", "--port", "0", "--origin", "x"}, "--origin: "},
		{websocketArgs("--socket-mode", "1777"), "as 0660"},
		{websocketArgs("--tls-cert", notPEM), "give both"},
		{websocketArgs("--tls-cert", notPEM, "--tls-key", notPEM), "--tls-cert and --tls-key: "},
	}
}

func wrongBrokerFlags(notPEM string) []wrongFlags {
	return []wrongFlags{
		{websocketArgs("--nan", "zero"), "choose null, string or python"},
		{websocketArgs("--log-level", "loud"), "choose debug, info, warn or error"},
		{websocketArgs("--log-format", "xml"), "choose text or json"},
		{websocketArgs("--url", "http://host/"), "amqp://"},
		{websocketArgs("--url", "amqp://host/", "--vhost", "x"), "--url and --vhost"},
		{websocketArgs("--ca", notPEM), "--ssl"},
		{websocketArgs("--ssl", "--ca", notPEM), "no PEM certificate"},
		{websocketArgs("--ssl", "--ca", "/nowhere.pem"), "no such file"},
		{websocketArgs("--ssl", "--cert", notPEM), "give both"},
		{websocketArgs("--ssl", "--cert", notPEM, "--key", notPEM), "--cert and --key"},
		{websocketArgs("--embedded-broker", "--url", "amqp://host/"), "--embedded-broker is the broker"},
		{websocketArgs("--embedded-broker", "--vhost", "x"), "leave --vhost out"},
		{websocketArgs("--embedded-broker", "--ssl"), "leave --ssl out"},
		{websocketArgs("--embedded-broker", "-P", "-1"), "--rabbitmq-port -1 is not a port"},
		{websocketArgs("-P", "99999"), "--rabbitmq-port 99999 is not a port"},
		{websocketArgs("-P", "0"), "--rabbitmq-port 0 is not a port; choose one from 1 to 65535, or 0 with --embedded-broker"},
		{websocketArgs("-H", ""), `--rabbitmq-host "" is not a host`},
		{websocketArgs("-H", "a b"), `--rabbitmq-host "a b" is not a host`},
		{websocketArgs("-H", "rabbit:5673"), "--rabbitmq-port"},
		{websocketArgs("--vhost", ""), "is not a virtual host"},
		{websocketArgs("--exchange", strings.Repeat("x", 300)), "the exchange name is 300 bytes long"},
		{websocketArgs("--fail-fast", "-P", "1"), "is the broker running?"},
	}
}

var wrongLimitFlags = []wrongFlags{
	{websocketArgs("--client-backlog", "lots"), "16MiB"},
	{websocketArgs("--max-message", "1"), "--max-message"},
	{websocketArgs("--client-lag", "1ms"), "at least 1s"},
	{websocketArgs("--slow", "down"), "choose close or skip"},
	{websocketArgs("--max-clients", "0"), "at least 1"},
	{websocketArgs("--name", strings.Repeat("x", 300)), "--name"},
}

var wrongHistoryAndRoomFlags = []wrongFlags{
	{websocketArgs("--durable", "yes"), "choose no, expires=60s or stream"},
	{websocketArgs("--durable", "expires=soon"), "write expires=60s"},
	{websocketArgs("--durable", "expires=10ms"), "from 1s"},
	{websocketArgs("--durable", "expires=2000h"), "to 1193h"},
	{websocketArgs("--durable", "stream", "--embedded-broker"), "nothing there is durable"},
	{websocketArgs("--stream-name", "x"), "--stream-name needs --durable stream"},
	{websocketArgs("--durable", "expires=60s", "--stream-bytes", "1GiB"), "--stream-bytes needs --durable stream"},
	{websocketArgs("--durable", "stream", "--stream-age", "1s"), "must be at least 1m0s"},
	{websocketArgs("--durable", "stream", "--stream-bytes", "1KiB"), "10GiB"},
	{websocketArgs("--durable", "stream", "--stream-name", strings.Repeat("x", 300)), "stream"},
	{websocketArgs("--history", "-1"), "0 keeps none"},
	{websocketArgs("--history-bytes", "few"), "--history-bytes"},
	{websocketArgs("--values-bytes", "few"), "--values-bytes"},
	{websocketArgs("--room-history", "few"), "--room-history"},
	{websocketArgs("--export", "weather"), "--export"},
	{websocketArgs("--export", `{"actor": "weather"}`), "--export: the filter has an unknown field"},
	{websocketArgs("--history-age", "1ms"), "--history-age 1ms must be at least 1s"},
	{websocketArgs("--source", "live"), `"live" of the source "live" is not understood; write exchange=NAME`},
	{websocketArgs("--source", "path=/live"), "a source needs an exchange"},
	{websocketArgs("--source", "exchange=live,exchange=x"), "has two of exchange"},
	{websocketArgs("--source", "exchange=live,path="), "has an empty path"},
	{websocketArgs("--source", "exchange=live,type=headers"), "choose topic, fanout or direct"},
	{websocketArgs("--source", "exchange=live,type=fanout,binding=x"), "leave the binding out"},
	{websocketArgs("--source", "exchange=live,path=live"), "begin it with /"},
	{websocketArgs("--source", "exchange=live", "--source", "exchange=live,path=/x"), "two sources are the exchange live"},
	{websocketArgs("--source", "exchange=live", "--source", "exchange=x,path=/live"), "have the same path /live"},
	{websocketArgs("--source", "exchange=sdss_exchange"), "the actors' exchange"},
	{websocketArgs("--source", "exchange=replies"), "rename the exchange"},
	{websocketArgs("--presence", "sdss_exchange"), "the exchange of presence is the actors'"},
	{websocketArgs("--presence", strings.Repeat("x", 300)), "the exchange name is 300 bytes long"},
	{websocketArgs("--shed-rate", "0"), "--shed-rate 0 must be at least 1"},
	{websocketArgs("--drain-timeout", "0"), "--drain-timeout 0s must be at least 1s"},
	{websocketArgs("--drain-delay", "-1s"), "--drain-delay -1s must be at least 0s"},
	{websocketArgs("--drain-delay", "6s", "--drain-timeout", "10s"), "--drain-delay 6s must be at most half of --drain-timeout 10s"},
	{websocketArgs("--admin", "9877"), "--admin: "},
	{websocketArgs("--admin", "/run/clu-ws.sock"), "unix:/path/to/socket"},
	{websocketArgs("--admin", "unix:"), "--admin: unix: has no path"},
}
