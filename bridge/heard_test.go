package bridge_test

import (
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// age returns how old the bridge says a keyword of the actor "peer" is, or an error if it is not known.
func age(c *client, keyword string) (time.Duration, error) {
	c.t.Helper()
	s := c.ask(`{"op": "snapshot"}`)
	text := s.path("actors", "peer", "keywords", keyword, "time")
	if text == nil {
		return 0, fmt.Errorf("no keyword %s in %v", keyword, s)
	}
	return time.Since(parseTime(c.t, text)), nil
}

// A bridge that was away for an hour must not show what it finds at the broker as new.
func TestWhatWaitedAtTheBrokerIsAsOldAsItIs(t *testing.T) {
	t.Parallel()
	for name, durable := range map[string]bridge.Durable{
		"a kept queue": {Expires: time.Minute},
		"a stream":     {Stream: &bridge.Stream{Bytes: 100 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			configure := func(c *bridge.Config) { c.Name, c.Durable, c.History.Replies = "bridge", durable, 100 }
			b := linked(t, url, configure)
			p := newPeer(t, url)
			if err := p.ch.Confirm(false); err != nil {
				t.Fatal(err)
			}
			if err := b.end(t, b.stop()); err != nil {
				t.Fatal(err)
			}
			say := func(keyword string, at time.Time) {
				confirm, err := p.ch.PublishWithDeferredConfirm("sdss_exchange", "reply.broadcast", false, false, amqp.Publishing{
					Headers:   amqp.Table{"message_code": "i", "sender": "peer", "command_id": nil, "commander_id": nil, "internal": false},
					Timestamp: at, Body: []byte(fmt.Sprintf(`{%q: 1}`, keyword)),
				})
				if err != nil || !confirm.Wait() {
					t.Fatalf("it is not confirmed; %v", err)
				}
			}
			hourAgo := time.Now().Add(-time.Hour)
			say("old", hourAgo)
			say("undated", time.Time{})
			say("ahead", time.Now().Add(time.Hour))
			b = linked(t, url, configure)
			c, _ := dialV1(t, b.addr, "/?silent=1")
			testkit.Eventually(t, testkit.Patience, "what waited has come", func() error {
				_, err := age(c, "ahead")
				return err
			})
			say("new", hourAgo) // live: its sender's clock is of no account
			testkit.Eventually(t, testkit.Patience, "the new one has come", func() error {
				_, err := age(c, "new")
				return err
			})
			for keyword, want := range map[string]time.Duration{"old": time.Hour, "undated": time.Since(time.Unix(0, 0)), "ahead": 0, "new": 0} {
				if got, err := age(c, keyword); err != nil || (got-want).Abs() > time.Minute {
					t.Errorf("%s is %v old, want %v; %v", keyword, got, want, err)
				}
			}
		})
	}
}
