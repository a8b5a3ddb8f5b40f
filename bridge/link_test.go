package bridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
)

func TestAQueueThatIsKeptUnderARandomNameIsWarnedOf(t *testing.T) {
	for name, warned := range map[string]bool{"": true, "bridge": false} {
		var log logged
		startBridge(t, "amqp://127.0.0.1:1/", log.config, func(c *bridge.Config) {
			c.Name, c.Durable.Expires = name, time.Minute
		})
		if got := strings.Contains(log.String(), "give it a --name"); got != warned {
			t.Errorf("named %q: the log is %s", name, log.String())
		}
	}
	var log logged
	startBridge(t, "amqp://127.0.0.1:1/", log.config)
	if strings.Contains(log.String(), "--name") {
		t.Errorf("without a queue that is kept the log is %s", log.String())
	}
}
