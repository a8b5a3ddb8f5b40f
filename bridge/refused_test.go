package bridge_test

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestACommandThatTheBrokerDoesNotTakeIsCountedAsRefused(t *testing.T) {
	b := linked(t, embeddedBrokerWith(t, broker.Config{MaxBody: 1000}))
	c := dial(t, b.addr)
	long := `{"consumer": "x", "command_string": "` + strings.Repeat("x", 1000) + `"}`
	c.say(long) // it breaks the link, and the limit is known
	c.next()
	testkit.WaitUntil(t, "the link is up again", func() bool { return strings.Contains(b.metrics(t), `cluws_link_changes_total{state="up"} 2`) })
	c.say(long)
	testkit.WaitUntil(t, "it is counted", func() bool { return strings.Contains(b.metrics(t), "cluws_commands_refused_total 1") })
}
