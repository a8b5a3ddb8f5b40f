//go:build cluster

package testkit

import (
	"errors"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestACluster(t *testing.T) {
	c := StartCluster(t, 3)
	ch, err := dial(t, c.Nodes[1].URL()).Channel()
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"classic": "classic", "quorum": "quorum", "stream": "stream"} {
		if _, err := ch.QueueDeclare(name, true, false, false, false, amqp.Table{"x-queue-type": kind}); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		t.Logf("%s is led by %s", name, c.QueueLeader(t, c.Nodes[0], name).host)
	}

	t.Run("a node that is killed comes back", func(t *testing.T) {
		leader := c.QueueLeader(t, c.Nodes[0], "quorum")
		leader.Kill(t)
		other := c.Nodes[0]
		if other == leader {
			other = c.Nodes[1]
		}
		Eventually(t, Patience, "another node leads the quorum queue", func() error {
			if c.QueueLeader(t, other, "quorum") == leader {
				return errors.New("it has not moved")
			}
			return nil
		})
		roundTrip(t, dial(t, other.URL()))
		leader.Start(t)
		c.AwaitFormed(t)
		roundTrip(t, dial(t, leader.URL()))
	})

	t.Run("rolling restart", func(t *testing.T) {
		for _, n := range c.Nodes {
			n.Stop(t)
			n.Start(t)
			c.AwaitFormed(t)
		}
	})

	t.Run("pause and resume", func(t *testing.T) {
		c.Nodes[2].Pause(t)
		// Nothing is declared here: that would wait until the others give up the frozen node, and on Mnesia such
		// a cluster stays partitioned.
		dial(t, c.Nodes[0].URL())
		c.Nodes[2].Resume(t)
		c.AwaitFormed(t)
		roundTrip(t, dial(t, c.Nodes[2].URL()))
	})
}
