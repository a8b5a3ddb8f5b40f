package bridge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestABrokerThatTakesNoRepliesIsReportedToClientsAndOperators(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	b := linked(t, url, func(c *bridge.Config) { c.Name, c.ProbeAfter = "bridge", 6*time.Second })
	p := newPeer(t, url)
	commands := p.hear("command.x.#")
	plain := dial(t, b.addr)
	v1, hello := dialV1(t, b.addr, "/")
	equal(t, "the broker's state in the hello", hello["broker"], any("up"))

	// The bridge's own queues are served by a process that does not answer.
	leaders := func(what string) {
		n.Eval(t, fmt.Sprintf(`
			[sys:%s(case amqqueue:get_pid(Q) of {Name, _} -> whereis(Name); Pid -> Pid end) ||
			 Q <- rabbit_amqqueue:list(<<"%s">>), string:prefix(element(4, amqqueue:get_name(Q)), "bridge") =/= nomatch].`, what, vhost))
	}
	leaders("suspend")
	t.Cleanup(func() { leaders("resume") }) // of what is still there
	told := v1.next()
	reason, _ := told["reason"].(string)
	if told["op"] != "broker" || told["state"] != "no_replies" || !strings.Contains(reason, "takes no messages into the queue bridge") {
		t.Errorf("the client is told %v", told)
	}
	later, laterHello := dialV1(t, b.addr, "/")
	equal(t, "the broker's state in a later hello", laterHello["broker"], any("no_replies"))
	// It stays ready, because commands get through.
	status, health := b.health(t, "/readyz")
	equal(t, "readiness", []any{status, health["ready"], health["broker"], health["reason"]}, []any{http.StatusOK, true, "no_replies", nil})
	if _, text := b.admin(t, "/healthz"); !strings.Contains(text, "takes no messages") {
		t.Errorf("the admin's /healthz says %s", text)
	}
	plain.say(`{"consumer": "x", "command_string": "stop", "command_id": "s"}`)
	equal(t, "the command", testkit.Receive(t, commands).CorrelationId, "s")
	metrics := func(lines ...string) {
		t.Helper()
		testkit.Eventually(t, testkit.Patience, "metrics", func() error {
			text := b.metrics(t)
			for _, line := range lines {
				if !strings.Contains(text, line+"\n") {
					return fmt.Errorf("no line %s", line)
				}
			}
			return nil
		})
	}
	metrics("cluws_link_up 1", "cluws_ready 1", "cluws_link_no_replies 1", `cluws_link_changes_total{state="no_replies"} 1`)

	leaders("resume")
	for _, c := range []*client{v1, later} {
		if told := c.next(); told["op"] != "broker" || told["state"] != "up" || told["reason"] != nil {
			t.Errorf("the client is told %v", told)
		}
	}
	metrics("cluws_link_up 1", "cluws_link_no_replies 0")
	p.reply(`{"n": 1}`)
	plain.next()
	equal(t, "the first reply", fmt.Sprint(v1.next()["body"]), "map[n:1]")
}
