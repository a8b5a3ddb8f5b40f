package bridge_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// deafConn carries nothing from the broker while it is deaf.
type deafConn struct {
	net.Conn
	deaf *atomic.Bool
	end  <-chan struct{}
}

func (c deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() {
		<-c.end
	}
	return n, err
}

// bridgeWithoutConfirms returns a bridge, linked to an actor x that ends each command, that gets no confirms.
func bridgeWithoutConfirms(t *testing.T) *running {
	url := embeddedBroker(t)
	var dialled atomic.Int32
	var deaf atomic.Bool
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	b := linked(t, url, func(c *bridge.Config) {
		c.Name = "bridge"
		bridge.Within(c, 5*time.Second) // and the confirm is owed for as long
		c.Dial = func(network, addr string) (net.Conn, error) {
			conn, err := net.Dial(network, addr)
			if err == nil && dialled.Add(1) == 2 { // the publisher's; the consumers' comes first
				return deafConn{conn, &deaf, end}, nil
			}
			return conn, err
		}
	})
	newPeer(t, url).answering(">", ":")
	deaf.Store(true)
	return b
}

// The confirms stay away, so the outcome of each publish is unknown, but the replies come: a command that has ended
// is not in doubt.
func TestACommandThatHasEndedIsNotInDoubtForWantOfAConfirm(t *testing.T) {
	t.Parallel()
	b := bridgeWithoutConfirms(t)
	plain := dial(t, b.addr)
	plain.say(`{"consumer": "x", "command_string": "go", "command_id": "plain"}`)
	for _, code := range []actor.Code{actor.Running, actor.Done} {
		if e := plain.next(); e.code() != code {
			t.Fatalf("the reply is %v, want the code %s", e, code)
		}
	}
	testkit.WaitUntil(t, "the outcome is unknown", func() bool {
		return strings.Contains(b.metrics(t), `cluws_commands_total{outcome="unknown"} 1`)
	})

	// The broker owes a confirm, so a command that waits for it is not sent, and ends as such: nothing came before.
	plain.say(`{"consumer": "x", "command_string": "go", "command_id": "later"}`)
	e := plain.next()
	if e.header("command_id") != "later" || e.code() != actor.Failed {
		t.Errorf("after its end the sender is told %v", e)
	}
}

func TestTheAPITellsTheEndOfACommandWithoutAConfirm(t *testing.T) {
	t.Parallel()
	b := bridgeWithoutConfirms(t)
	code, answer := b.post(t, "/api/command?wait=1", `{"consumer": "x", "command_string": "go"}`)
	if code != 200 || answer["status"] != "done" {
		t.Errorf("the answer is %d %v", code, answer)
	}
}
