package main

import (
	"crypto/x509"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// flagCase is a flag with a value, and what that changes in a bridge's configuration.
type flagCase struct {
	flag, value string
	with        []string // flags that it needs
	read        func(bridge.Config) any
	want        any
}

func TestEachFlagAndItsVariableReachTheBridge(t *testing.T) {
	tested := map[string]bool{
		"admin": true,                         // by TestTheAdminServerHasAnAddressOfItsOwn
		"audit": true, "audit-required": true, // by TestCommandsAreRecorded
	}
	for _, f := range slices.Concat(brokerFlagCases(t), cluFlagCases, historyFlagCases, limitFlagCases, operationFlagCases) {
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
	for _, f := range slices.Concat(brokerFlags(), cluFlags(), historyFlags(), roomFlags(), limitFlags(), adminFlags(), auditFlags()) {
		if name := f.Names()[0]; !tested[name] {
			t.Errorf("--%s is not tested", name)
		}
	}
}

func brokerFlagCases(t *testing.T) []flagCase {
	certs := testkit.NewCertificates(t)
	pem, err := os.ReadFile(certs.CA)
	if err != nil {
		t.Fatal(err)
	}
	ca := x509.NewCertPool()
	ca.AppendCertsFromPEM(pem)
	return []flagCase{
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
	}
}

var cluFlagCases = []flagCase{
	{"name", "console", nil, func(c bridge.Config) any { return c.Name }, "console"},
	{"exchange", "other", nil, func(c bridge.Config) any { return c.Exchange }, "other"},
	{"exchange", "", nil, func(c bridge.Config) any { return c.Exchange }, actor.Exchange},
	{"nan", "null", nil, func(c bridge.Config) any { return c.Envelope.NaN }, actor.NaNNull},
	{"naive-time", "true", nil, func(c bridge.Config) any { return c.Envelope.NaiveTime }, true},
	{"check-consumers", "true", nil, func(c bridge.Config) any { return c.CheckConsumers }, true},
	{"batch", "50ms", nil, func(c bridge.Config) any { return c.Batch }, 50 * time.Millisecond},
	{"clu-strict", "true", nil, func(c bridge.Config) any { return c.Strict }, true},
}

var historyFlagCases = []flagCase{
	{"durable", "no", nil, func(c bridge.Config) any { return c.Durable }, bridge.Durable{}},
	{"durable", "expires=90s", nil, func(c bridge.Config) any { return c.Durable }, bridge.Durable{Expires: 90 * time.Second}},
	{"durable", "stream", nil, func(c bridge.Config) any { return *c.Durable.Stream }, bridge.Stream{Age: 24 * time.Hour, Bytes: 1 << 30}},
	{"stream-name", "all", []string{"--durable", "stream"}, func(c bridge.Config) any { return c.Durable.Stream.Name }, "all"},
	{"stream-age", "1h", []string{"--durable", "stream"}, func(c bridge.Config) any { return c.Durable.Stream.Age }, time.Hour},
	{"stream-bytes", "10GiB", []string{"--durable", "stream"}, func(c bridge.Config) any { return c.Durable.Stream.Bytes }, int64(10 << 30)},
	{"history", "0", nil, func(c bridge.Config) any { return c.History.Replies }, 0},
	{"history-bytes", "1MiB", nil, func(c bridge.Config) any { return c.History.Bytes }, 1 << 20},
	{"values-bytes", "1MiB", nil, func(c bridge.Config) any { return c.KeywordHistory }, 1 << 20},
	{"values-bytes", "0", nil, func(c bridge.Config) any { return c.KeywordHistory }, 0},
	{"history-age", "1h", nil, func(c bridge.Config) any { return c.History.Age }, time.Hour},
}

var operationFlagCases = []flagCase{
	{"source", "exchange=live", nil, func(c bridge.Config) any { return c.Sources }, []rooms.Source{{Exchange: "live", Type: "topic", Binding: "#", Format: "raw", Path: "/live"}}},
	{"room-history", "1MiB", nil, func(c bridge.Config) any { return c.RoomHistory }, 1 << 20},
	{"room-history", "0", nil, func(c bridge.Config) any { return c.RoomHistory }, 0},
	{"presence", "who", nil, func(c bridge.Config) any { return c.Presence }, "who"},
	{"presence-rooms", "true", []string{"--presence", "who"}, func(c bridge.Config) any { return c.PresenceRooms }, true},
	{"list-clients", "true", nil, func(c bridge.Config) any { return c.ListClients }, true},
	{"export", `{"sender":["weather"]}`, nil, func(c bridge.Config) any { return c.Export.Key() }, `{"sender":["weather"]}`},
	{"shed-rate", "7", nil, func(c bridge.Config) any { return c.Drain.ShedRate }, 7},
	{"log-commands", "false", nil, func(c bridge.Config) any { return c.LogCommands }, false},
	{"drain-delay", "5s", nil, func(c bridge.Config) any { return c.Drain.Delay }, 5 * time.Second},
	{"drain-timeout", "1m", nil, func(c bridge.Config) any { return c.Drain.Timeout }, time.Minute},
}

var limitFlagCases = []flagCase{
	{"client-backlog", "2MiB", nil, func(c bridge.Config) any { return c.Limits.LogBytes }, 2 << 20},
	{"client-lag", "5s", nil, func(c bridge.Config) any { return c.Limits.LogAge }, 5 * time.Second},
	{"slow", "skip", nil, func(c bridge.Config) any { return c.SkipSlow }, true},
	{"slow", "close", nil, func(c bridge.Config) any { return c.SkipSlow }, false},
	{"max-outbound", "3MiB", nil, func(c bridge.Config) any { return c.Limits.MaxOutbound }, 3 << 20},
	{"max-message", "4KiB", nil, func(c bridge.Config) any { return c.Limits.MaxMessage }, 4 << 10},
	{"max-head", "5KiB", nil, func(c bridge.Config) any { return c.Limits.MaxHead }, 5 << 10},
	{"head-timeout", "6s", nil, func(c bridge.Config) any { return c.Limits.HeadTimeout }, 6 * time.Second},
	{"message-rate", "7", nil, func(c bridge.Config) any { return c.Limits.MessageRate }, 7},
	{"max-clients", "8", nil, func(c bridge.Config) any { return c.Limits.MaxConnections }, 8},
	{"max-per-address", "9", nil, func(c bridge.Config) any { return c.Limits.MaxPerAddress }, 9},
	{"ping-after", "10s", nil, func(c bridge.Config) any { return c.Limits.PingAfter }, 10 * time.Second},
	{"pong-timeout", "11s", nil, func(c bridge.Config) any { return c.Limits.PongTimeout }, 11 * time.Second},
}

func TestOfSeveralWrongLimitsTheFirstIsNamed(t *testing.T) {
	for range 20 {
		got := failure(t, "websocket", "--port", "0", "--pong-timeout", "0", "--max-clients", "-1", "--max-head", "1", "--client-backlog", "x", "--max-message", "1")
		if !strings.HasPrefix(got, "--client-backlog ") {
			t.Fatal(got)
		}
	}
}
