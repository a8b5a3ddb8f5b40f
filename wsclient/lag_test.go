package wsclient

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// The times of these tests are hours apart, so that no machine is too slow for them.
var helloTime = time.Date(2026, 11, 21, 3, 38, 40, 123456000, time.UTC)

// says sends a reply that the bridge heard at a time after the hello.
func (p *peer) says(seq int, after time.Duration) { p.saysIn("e", seq, after) }

func (p *peer) saysIn(epoch string, seq int, after time.Duration) {
	p.send(`{"headers": {"message_code": "i", "sender": "weather"}, "body": {"wind": 1}, "seq": %d, "epoch": %q, "heard": %d}`, seq, epoch, helloTime.Add(after).UnixMicro())
}

// brief writes an event shortly.
func brief(e Event) string {
	switch e := e.(type) {
	case *Reply:
		return fmt.Sprint(e.Seq)
	case Lag:
		if e.Behind {
			return "behind"
		}
		return "current"
	case Dropped:
		return fmt.Sprintf("%d dropped from %v to %v", e.Count, e.From.Sub(helloTime), e.To.Sub(helloTime))
	case *Snapshot:
		return fmt.Sprint("snapshot ", e.Seq)
	}
	return fmt.Sprintf("%T", e)
}

const lastValues = `{"op": "snapshot", "id": %q, "epoch": "e", "seq": 60, "actors": {"weather": {"keywords": {"wind": {"value": 2}}}}}`

func TestAProgramThatIsBehindSkipsToThePresent(t *testing.T) {
	for _, c := range []struct {
		name    string
		options SubscribeOptions
		replies []time.Duration // when the bridge heard them, after the hello
		want    []string
	}{
		{"without a limit", SubscribeOptions{}, []time.Duration{-10 * time.Hour, -9 * time.Hour}, []string{"42", "43"}},
		{"current", SubscribeOptions{MaxLag: 3 * time.Hour}, []time.Duration{-time.Hour, time.Second}, []string{"42", "43"}},
		{"until a reply is current", SubscribeOptions{MaxLag: 3 * time.Hour}, []time.Duration{-10 * time.Hour, -2 * time.Hour, time.Second},
			[]string{"behind", "2 dropped from -10h0m0s to -2h0m0s", "current", "44", "snapshot 60"}},
		{"until a pong says so", SubscribeOptions{MaxLag: 3 * time.Hour}, []time.Duration{-10 * time.Hour, -9 * time.Hour},
			[]string{"behind", "2 dropped from -10h0m0s to -9h0m0s", "current", "snapshot 60"}},
		{"what the throttle holds back is no lag", SubscribeOptions{MaxLag: 3 * time.Hour, Throttle: time.Hour}, []time.Duration{-3*time.Hour - time.Minute}, []string{"42"}},
		{"nothing is left out", SubscribeOptions{MaxLag: 3 * time.Hour, Lossless: true}, []time.Duration{-10 * time.Hour, -9 * time.Hour, time.Second},
			[]string{"behind", "42", "43", "current", "44"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, true, func(n int, p *peer) {
				p.send("%s", strings.Replace(helloText, `"ping"`, `"ping", "snapshot"`, 1))
				p.send(`{"op": "ok", "id": %q}`, p.receive("subscribe")["id"])
				for i, after := range c.replies {
					p.says(42+i, after)
				}
				if slices.Contains(c.want, "snapshot 60") {
					asked := p.receive("snapshot")
					if filter, _ := asked["filter"].(map[string]any); filter["sender"] != "weather" {
						t.Errorf("asks for %v", asked)
					}
					p.send(lastValues, asked["id"])
				}
				p.idle()
			})
			sub, err := s.dial(t, nil).Subscribe(within(t), func() SubscribeOptions { c.options.Filter.Sender = []string{"weather"}; return c.options }())
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.want {
				e, err := sub.Next(within(t))
				if err != nil {
					t.Fatal(err)
				}
				if got := brief(e); got != want {
					t.Fatalf("event %d is %q, want %q", i, got, want)
				}
			}
		})
	}
}

func TestWhatWasMissedComesHoweverOld(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		if n == 0 {
			p.send(helloText)
			p.send(`{"op": "ok", "id": %q}`, p.receive("subscribe")["id"])
			p.says(42, time.Second)
			_ = p.conn.Close(websocket.StatusGoingAway, "the bridge is stopping; connect again")
			return
		}
		p.send("%s", strings.Replace(helloText, `"seq": 41`, `"seq": 50`, 1))
		p.send(`{"op": "ok", "id": %q, "resumed": true}`, p.receive("subscribe")["id"])
		p.says(43, -10*time.Hour)
		p.idle()
	})
	sub := subscribe(t, s.dial(t, nil), SubscribeOptions{MaxLag: time.Hour})
	for _, want := range []string{"42", "43"} {
		if e, err := sub.Next(within(t)); err != nil || brief(e) != want {
			t.Fatalf("got %v, %v; want %s", e, err, want)
		}
	}
}

func TestALostConnectionEndsALagAndTheNextBringsTheLastValues(t *testing.T) {
	s := newServer(t, true, func(n int, p *peer) {
		p.send(helloText)
		m := p.receive("subscribe")
		p.send(`{"op": "ok", "id": %q, "resumed": true}`, m["id"])
		if n == 0 {
			p.says(42, -10*time.Hour)
			_, _, _ = p.conn.Read(t.Context()) // the client has noticed that it is behind
			return
		}
		if m["snapshot"] == true {
			p.send(lastValues, m["id"])
		}
		p.idle()
	})
	sub := subscribe(t, s.dial(t, nil), SubscribeOptions{MaxLag: time.Hour})
	var got []string
	for range 4 {
		e, err := sub.Next(within(t))
		if err != nil {
			t.Fatal(err, got)
		}
		got = append(got, brief(e))
	}
	want := []string{"behind", "1 dropped from -10h0m0s to -10h0m0s", "current", "snapshot 60"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheLagCanBeRead(t *testing.T) {
	more := make(chan struct{})
	s := newServer(t, true, func(n int, p *peer) {
		p.send(helloText)
		p.send(`{"op": "ok", "id": %q}`, p.receive("subscribe")["id"])
		p.says(42, -10*time.Hour)
		<-more
		p.says(43, time.Second)
		p.idle()
	})
	sub := subscribe(t, s.dial(t, nil), SubscribeOptions{})
	if _, err := sub.Next(within(t)); err != nil {
		t.Fatal(err)
	}
	if lag := sub.Lag(); lag != 0 && (lag < 10*time.Hour || lag > 11*time.Hour) { // it is 0 if this machine took 2 s
		t.Errorf("the lag is %v", lag)
	}
	close(more)
	if _, err := sub.Next(within(t)); err != nil {
		t.Fatal(err)
	}
	if lag := sub.Lag(); lag > time.Hour {
		t.Errorf("the lag is %v after a current reply", lag)
	}
}

func TestAMaxLagBelowNoughtIsRefused(t *testing.T) {
	c := newObservatory(t, nil).dial(nil)
	if _, err := c.Subscribe(within(t), SubscribeOptions{MaxLag: -1}); err == nil || !strings.Contains(err.Error(), "MaxLag is -1ns; give it a time above 0") {
		t.Errorf("got %v", err)
	}
}
