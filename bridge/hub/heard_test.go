package hub

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestALiveReplyWasHeardWhenItCame(t *testing.T) {
	var c heardClock
	now := time.Date(2026, 11, 21, 3, 38, 40, 123456789, time.UTC)
	r := &Reply{Sent: now.Add(-time.Hour)} // its sender's clock is of no account
	if got := c.of(r, now); !got.Equal(now) {
		t.Errorf("it was heard at %v, want %v", got, now)
	}
}

func TestAReplyThatMayHaveWaitedWhileTheProcessStoodStillIsNotNew(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 38, 40, 123456789, time.UTC)
	since := now.Add(-20 * time.Second).Truncate(time.Second)
	for _, c := range []struct {
		why        string
		sent, want time.Time
	}{
		{"it was sent meanwhile", now.Add(-12 * time.Second), now.Add(-12 * time.Second)},
		{"its sender's clock is behind", now.Add(-time.Hour), since},
		{"its sender's clock is ahead", now.Add(time.Hour), since},
		{"its message has no time", time.Time{}, since},
	} {
		var clock heardClock
		if got := clock.of(&Reply{WaitedSince: since, Sent: c.sent}, now); !got.Equal(c.want) {
			t.Errorf("%s: it was heard at %v, want %v", c.why, got, c.want)
		}
		if got := clock.of(&Reply{Sent: c.sent}, now); !got.Equal(now) {
			t.Errorf("the next one was heard at %v, want %v", got, now)
		}
	}
}

func TestTheTimeOfLiveRepliesNeverRunsBackwards(t *testing.T) {
	var c heardClock
	began := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	last := c.of(&Reply{}, began)
	for _, step := range []time.Duration{time.Second, -time.Hour, 0, time.Second, 3 * time.Hour, time.Second} {
		now := c.read.Add(step)
		at := c.of(&Reply{}, now)
		if at.Before(last) {
			t.Errorf("after a step of %v it is %v, and was %v before", step, at, last)
		}
		last = at
	}
	if !last.Equal(c.read) {
		t.Errorf("once the clock has caught up it is %v, want %v", last, c.read)
	}
}

func TestAClockThatWasSetBackGoesOnAtHalfItsSpeed(t *testing.T) {
	var c heardClock
	began := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	c.of(&Reply{}, began)
	back := c.of(&Reply{}, began.Add(-time.Hour))
	if later := c.of(&Reply{}, began.Add(-time.Hour+10*time.Second)); !back.Equal(began) || later.Sub(back) != 5*time.Second {
		t.Errorf("it went on from %v to %v", back, later)
	}
}

func TestAReplyOfThePastWasHeardWhenItWasSent(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	for _, c := range []struct {
		why        string
		sent, want time.Time
	}{
		{"it was sent an hour ago", now.Add(-time.Hour), now.Add(-time.Hour)},
		{"its sender's clock is ahead", now.Add(time.Minute), now},
		{"its message has no time", time.Time{}, time.Unix(0, 0)},
	} {
		var clock heardClock
		if got := clock.of(&Reply{Past: true, Sent: c.sent}, now); !got.Equal(c.want) {
			t.Errorf("%s: it was heard at %v, want %v", c.why, got, c.want)
		}
	}
}

// The times in snapshots follow the same rule as those of replies.
func TestTheValuesOfAStreamsPastAreAsOldAsTheyAre(t *testing.T) {
	s := newHarness(t)
	s.hub.loading = true
	s.pass(time.Hour)
	envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": {"open": true}}`...)
	r := &Reply{Reply: filter.Reply{Sender: "dome", Code: "i"}, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `), Sent: time.Unix(60, 0)}
	s.hub.Reply(r, 7, true)
	s.hub.Live()
	var m struct{ Heard int64 }
	if err := json.Unmarshal(r.Frame.Payload(), &m); err != nil || m.Heard != 60_000_000 || !r.Past {
		t.Errorf("it was heard at %d µs, past %v, %v", m.Heard, r.Past, err)
	}
	c := s.connect()
	s.tell(c, `{"op": "snapshot"}`)
	dome := s.await(c, "snapshot")["actors"].(map[string]any)["dome"].(map[string]any)
	open := dome["keywords"].(map[string]any)["open"].(map[string]any)
	if want := "1970-01-01T00:01:00.000000+00:00"; dome["time"] != want || open["time"] != want {
		t.Errorf("the snapshot has %v", dome)
	}
}
