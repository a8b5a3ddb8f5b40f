//go:build cluster

package amqpx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A stream takes messages as long as most of its replicas are reachable.
func TestAStreamThatHasLostMostOfItsReplicasIsReported(t *testing.T) {
	c := testkit.StartCluster(t, 3)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{c.Nodes[0].URL()}, ProbeAfter: probeSoon, Queues: []amqpx.Queue{h.of(history("link_stream", 0))}})
	w.await(t, true)
	publish(t, client(t, c.Nodes[0].URL()), 1)
	h.await(t, 1)
	c.Nodes[1].Stop(t)
	c.Nodes[2].Stop(t)
	stopped := time.Now()
	var reported string
	testkit.Eventually(t, testkit.Patience, "it is reported", func() error {
		s := w.State()
		if reported = s.QueueDown; reported == "" {
			return fmt.Errorf("the state is %+v", s)
		}
		return nil
	})
	testkit.Note(t, fmt.Sprintf("a stream without a majority is reported after %v: %s", time.Since(stopped).Round(time.Second/10), reported))
	if !strings.Contains(reported, "history") {
		t.Errorf("it is reported as %q", reported)
	}
	c.Nodes[1].Start(t)
	c.Nodes[2].Start(t)
	c.AwaitFormed(t)
	// The link has not broken: the broker now sends the missing confirms.
	testkit.Eventually(t, testkit.Patience, "all is well", func() error {
		if s := w.State(); !s.Up || s.QueueDown != "" {
			return fmt.Errorf("the state is %+v", s)
		}
		return nil
	})
	publish(t, client(t, c.Nodes[0].URL()), 2)
	h.await(t, 2)
}
