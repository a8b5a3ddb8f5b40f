package wsclient

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestTheLastValuesAreAskedForUntilTheyHaveCome(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		p.send(helloText)
		m := p.receive("subscribe")
		if owed, _ := m["snapshot"].(bool); owed != (n < 2) || n > 0 && m["since"] == nil {
			t.Errorf("connection %d asks %v", n, m)
		}
		switch n {
		case 0:
			p.send(`{"op": "ok", "id": %q}`, m["id"])
			p.says(42, time.Second) // and the connection is cut
		case 1:
			p.send(`{"op": "ok", "id": %q, "resumed": true, "seq": 42}`, m["id"])
			p.send(lastValues, m["id"])
			p.says(61, time.Second)
			_ = p.conn.Close(websocket.StatusGoingAway, "the bridge is stopping; connect again")
		default:
			p.send(`{"op": "ok", "id": %q, "resumed": true, "seq": 61}`, m["id"])
			p.says(62, time.Second)
			p.idle()
		}
	})
	sub := subscribe(t, s.dial(t, nil), SubscribeOptions{Snapshot: true})
	for _, want := range []string{"42", "snapshot 60", "61", "62"} {
		if e, err := sub.Next(within(t)); err != nil || brief(e) != want {
			t.Fatalf("got %v, %v; want %s", e, err, want)
		}
	}
}

func TestACommandOfANewEpochEndsAlthoughOneOfTheOldIsUnknown(t *testing.T) {
	second := strings.Replace(strings.Replace(helloText, `"epoch": "e"`, `"epoch": "f"`, 1), `"seq": 41`, `"seq": 10`, 1)
	s := newServer(t, true, func(n int, p *peer) {
		if n == 0 {
			p.send(helloText)
			p.receive("subscribe")
			p.receive("command")
			return
		}
		p.send("%s", second)
		old := p.receive("subscribe")
		if since, _ := old["since"].(map[string]any); since["epoch"] != "f" || since["seq"] != 10.0 {
			t.Errorf("connection %d asks %v", n, old)
		}
		if n == 1 {
			p.receive("subscribe") // to the replies to the commands of this connection
			p.receive("command")
			return
		}
		p.send(`{"op": "ok", "id": %q, "resumed": true, "seq": 12}`, old["id"])
		p.send(`{"headers": {"message_code": ":", "sender": "dome", "command_id": "second", "commander_id": "bridge.dome"}, "body": {}, "seq": 11, "epoch": "f"}`)
		for {
			_, text, err := p.conn.Read(context.Background())
			if err != nil {
				return
			}
			p.answerPing(text)
		}
	})
	c := s.dial(t, nil)
	var last *Command
	for _, id := range []string{"first", "second"} {
		last = c.awaitAndSendAs(t, id)
		if _, err := last.Wait(within(t)); !errors.Is(err, ErrUnknown) {
			t.Fatalf("%s ends with %v", id, err)
		}
	}
	select {
	case <-last.Settled():
	case <-within(t).Done():
		t.Fatalf("the end of the second command was not told: it is %s", last.State())
	}
}

// awaitAndSendAs sends a command once there is a connection.
func (c *Client) awaitAndSendAs(t *testing.T, id string) *Command {
	t.Helper()
	if err := c.awaitConnected(within(t)); err != nil {
		t.Fatal(err)
	}
	return c.Send(context.Background(), "dome", "open", SendOptions{ID: id})
}

func TestAGapOfANewEpochIsToldOnceAlthoughNothingComesBehindIt(t *testing.T) {
	second := strings.Replace(strings.Replace(helloText, `"epoch": "e"`, `"epoch": "f"`, 1), `"seq": 41`, `"seq": 0`, 1)
	s := newServer(t, true, func(n int, p *peer) {
		switch n {
		case 0:
			p.send(helloText)
			p.send(`{"op": "ok", "id": %q}`, p.receive("subscribe")["id"])
			p.says(42, time.Second) // and the connection is cut
		case 1:
			p.send("%s", second)
			p.send(`{"op": "ok", "id": %q, "resumed": false, "reason": "the epoch is a new one", "epoch": "f", "seq": 0}`, p.receive("subscribe")["id"])
			_, _, _ = p.conn.Read(context.Background()) // it has the answer, and the connection is cut
		default:
			p.send("%s", second)
			m := p.receive("subscribe")
			if since, _ := m["since"].(map[string]any); since["epoch"] != "f" || since["seq"] != 0.0 {
				t.Errorf("connection %d asks %v", n, m)
			}
			p.send(`{"op": "ok", "id": %q, "resumed": true, "epoch": "f", "seq": 1}`, m["id"])
			p.saysIn("f", 1, time.Second)
			p.idle()
		}
	})
	sub := subscribe(t, s.dial(t, nil), SubscribeOptions{})
	for _, want := range []string{"42", "wsclient.Gap", "1"} {
		if e, err := sub.Next(within(t)); err != nil || brief(e) != want {
			t.Fatalf("got %v, %v; want %s", e, err, want)
		}
	}
}
