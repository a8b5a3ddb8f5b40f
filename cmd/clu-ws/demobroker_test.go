package main

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheDemoUsesAGivenBrokerIfNobodyElseDoes(t *testing.T) {
	url := testkit.RabbitMQ(t).NewVHost(t)
	t.Setenv("CLU_WS_URL", "amqp://telescopes.example/") // is not for the demo
	p := start(t, "demo", "--night=false", "--port", "0", "--admin", "127.0.0.1:"+freePort(t), "--url", strings.Replace(url, "guest:guest@", "", 1))
	_, vhost, _ := strings.Cut(url, "@")
	if line := p.out.await(t, "the demo's broker at"); !strings.Contains(line, "amqp://"+vhost+".") || strings.Contains(line, "guest") {
		t.Errorf("it says %s", line)
	}
	admin := field(p.log.await(t, "metrics and health"), "address=")
	for _, name := range []string{"amqp-client-", "weather"} {
		p.log.await(t, "exchange=sdss_exchange name="+name)
	}
	if got := inTime(t, func() string { return postCommandTo(admin, "weather", "ping", "", "?wait=1") }); !strings.Contains(got, `"status":"done"`) {
		t.Errorf("a command is answered with %s", got)
	}
	if got := failure(t, "demo", "--port", "0", "--url", url); !strings.Contains(got, "there are actors at amqp://"+vhost) || !strings.Contains(got, "rabbitmqctl add_vhost demo") {
		t.Errorf("a second demo says %s", got)
	}
}

func TestTheURLOfTheDemoIsCheckedAndOnTheCommandLineOnly(t *testing.T) {
	file := writeFile(t, "clu-ws.yaml", "url: amqp://guest:sesame@telescopes.example/\n")
	for words, args := range map[string][]string{
		"clu-ws.yaml:1:6: url is not for the demo":    {"--config", file},
		"--url: the broker URL starts with \"http:\"": {"--url", "http://sesame@host/"},
		"leave it out": {"--url", "amqp://host/", "--rabbitmq-port", "1"},
		"--url: the broker amqp://127.0.0.1:1/ cannot be used: dial": {"--url", "amqp://guest:sesame@127.0.0.1:1/"},
	} {
		if got := failure(t, append([]string{"demo", "--port", "0"}, args...)...); !strings.Contains(got, words) || strings.Contains(got, "sesame") {
			t.Errorf("%v: %s, want %s", args, got, words)
		}
	}
}
