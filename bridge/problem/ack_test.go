package problem

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAnAcknowledgementCoversWhatWasSaidUpToItsNumber(t *testing.T) {
	h := newHarness(t)
	first := h.says("dome", "!", `{"text": "leak"}`)
	second := h.says("dome", "w", `{"text": "disk"}`)
	h.says("dome", "!", `{"text": "leak"}`)
	h.ack("dome", "", first)
	h.expect("dome", "warn disk x1, critical leak x2 acked")
	h.ack("dome", "", second)
	h.expect("dome", "critical leak x2 acked, warn disk x1 acked")
	h.says("dome", "!", `{"text": "fire"}`)
	h.expect("dome", "critical fire x1, critical leak x2 acked, warn disk x1 acked")
	problems, _ := h.Of("dome", nil)
	if a := problems[1].Acked; a.By != "ana" || !a.Time.Equal(h.clock.Now()) {
		t.Errorf("acknowledged: %+v", a)
	}
}

func TestAnAcknowledgementWithAKeyCoversThatProblemAlone(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "w", `{"text": "leak"}`)
	h.says("dome", "w", `{"text": "disk"}`)
	h.ack("dome", h.keyOf("dome", "disk"), 100)
	h.expect("dome", "warn leak x1, warn disk x1 acked")
	if _, err := h.Prepare("dome", "broadcast:0", nil, nil); err != ErrNoProblem {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := h.Prepare("mount", "broadcast:0", nil, nil); err != ErrNoProblem {
		t.Errorf("an unknown actor: %v", err)
	}
	if a, err := h.Prepare("mount", "", nil, nil); err != nil || len(a.Keys) != 0 {
		t.Errorf("an actor without problems: %v %v", a, err)
	}
}

func TestWhatIsSaidAgainIsNotRaisedAnewForTenMinutes(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "leak"}`)
	h.ack("dome", "", h.seq)
	for range 10 {
		h.clock.Pass(ackedFor)
		h.says("dome", "!", `{"text": "leak"}`)
	}
	h.expect("dome", "critical leak x11 acked")
	h.clock.Pass(ackedFor + 2*time.Second)
	h.expect("dome", "")
	h.says("dome", "!", `{"text": "leak"}`)
	h.expect("dome", "critical leak x1")
}

func TestAValueThatHoversAboutItsLimitIsAcknowledgedOnce(t *testing.T) {
	h := newHarness(t)
	h.conditions("humid critical 0s: weather.humidity > 85")
	h.says("weather", "i", `{"humidity": 86}`)
	h.ack("weather", "", h.seq)
	flap := func() {
		t.Helper()
		for range 200 {
			h.says("weather", "i", `{"humidity": 84}`)
			h.clock.Pass(time.Second)
			h.says("weather", "i", `{"humidity": 86}`)
			h.expect("weather", "critical weather.humidity > 85 x1 acked")
			h.clock.Pass(time.Second)
		}
	}
	flap()
	h.says("weather", "i", `{"humidity": 84}`)
	h.clock.Pass(flapsFor + 2*time.Second)
	h.says("weather", "i", `{"humidity": 86}`)
	h.expect("weather", "critical weather.humidity > 85 x1")
	h.says("weather", "i", `{"humidity": 84}`)
	h.ack("weather", "", h.seq) // just when it has ended
	flap()
}

func TestAConditionThatHoldsAgainIsNotAcknowledged(t *testing.T) {
	h := newHarness(t)
	h.conditions("unsafe critical 0s: weather.is_safe == false")
	h.says("weather", "i", `{"is_safe": false}`)
	known := h.seq
	h.ack("weather", "", known)
	h.expect("weather", "critical weather.is_safe == false x1 acked")
	h.says("weather", "i", `{"is_safe": true}`)
	h.expect("weather", "")
	h.clock.Pass(time.Second)
	h.says("weather", "i", `{"is_safe": false}`)
	h.ack("weather", "condition:unsafe", known) // of a page that has not heard of it
	h.expect("weather", "critical weather.is_safe == false x1")
	h.says("weather", "i", `{"is_safe": true}`)
	h.ack("weather", "", h.seq)
	h.expect("weather", "")
}

func TestOfTwoAcknowledgementsTheFirstCounts(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "leak"}`)
	seq := h.seq
	first, _ := h.Prepare("dome", "", &seq, nil)
	second, _ := h.Prepare("dome", "", &seq, nil)
	first.By, second.By = "ana", "eve"
	h.Acked(first, h.clock.Now(), 2)
	h.clock.Pass(time.Second)
	h.Acked(second, h.clock.Now(), 3)
	problems, _ := h.Of("dome", nil)
	if len(problems) != 1 || problems[0].Acked.By != "ana" || !problems[0].Acked.Time.Equal(time.Unix(0, 0)) {
		t.Errorf("%+v", problems)
	}
	if again, err := h.Prepare("dome", "", &seq, nil); err != nil || len(again.Keys) != 0 {
		t.Errorf("there is still something to acknowledge: %v %v", again, err)
	}
}

func TestAnAcknowledgementThatComesBeforeItsReplyIsRemembered(t *testing.T) {
	for _, c := range []struct {
		epoch string
		seq   uint64        // up to which it is acknowledged
		after time.Duration // when the reply comes, with the number 5
		want  string
	}{
		{"e", 5, 0, "critical leak x1 acked"},
		{"e", 5, 30 * time.Minute, "critical leak x1 acked"},
		{"e", 4, time.Minute, "critical leak x1 acked"}, // the same text within ten minutes
		{"e", 4, 30 * time.Minute, "critical leak x1"},
		{"other", 9, time.Minute, "critical leak x1 acked"},
		{"other", 9, 30 * time.Minute, "critical leak x1"},
		{"e", 5, 3 * time.Hour, "critical leak x1"},
	} {
		source := newHarness(t)
		source.says("dome", "!", `{"text": "leak"}`)
		key := source.keyOf("dome", "leak")
		h := newHarness(t)
		h.Acked(Ack{Actor: "dome", Keys: []string{key}, Seq: c.seq, Epoch: c.epoch}, h.clock.Now(), 6)
		h.clock.Pass(c.after)
		h.seq = 4
		h.says("dome", "!", `{"text": "leak"}`)
		if got := h.state("dome"); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAnAcknowledgementCoversNothingThatComesAfterIt(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "leak"}`)
	key := h.keyOf("dome", "leak")
	h.Acked(Ack{Actor: "dome", Keys: []string{key, "condition:unsafe"}, Seq: 1 << 60, Epoch: "e"}, h.clock.Now(), 2)
	h.expect("dome", "critical leak x1 acked")
	h.seq = 2
	h.conditions("unsafe critical 0s: dome.safe == false")
	h.says("dome", "i", `{"safe": false}`)
	h.expect("dome", "critical dome.safe == false x1, critical leak x1 acked")
}

func TestTooManyEarlyAcknowledgementsPushOutTheOldest(t *testing.T) {
	h := newHarness(t)
	for i := range maxEarlyAcks + 10 {
		h.clock.Pass(time.Second)
		h.Acked(Ack{Actor: "dome", Keys: []string{fmt.Sprint(i)}, Seq: 1, Epoch: "e"}, h.clock.Now(), 2)
	}
	a := h.actors["dome"]
	if _, oldest := a.acks["9"]; len(a.acks) != maxEarlyAcks || oldest {
		t.Errorf("%d are kept", len(a.acks))
	}
	h.clock.Pass(lostAckFor + time.Minute)
	if len(h.actors) != 0 {
		t.Errorf("%d actors are kept for acknowledgements that mean nothing any more", len(h.actors))
	}
}

func TestAnAcknowledgementIsReadAsItWasWritten(t *testing.T) {
	a := Ack{Actor: "dome", Keys: []string{"silent", "condition:é"}, Seq: 5, Epoch: "e", By: "ana"}
	got, err := ParseAck(a.Body())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(a) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestABodyThatIsNoAcknowledgementIsRefused(t *testing.T) {
	long := strings.Repeat("x", maxKey+1)
	many, _ := json.Marshal(make([]int, maxAckKeys+1))
	for _, body := range []string{
		`{}`, `[]`, `null`, `{"clu_ws_ack": null}`, `{"clu_ws_ack": {"actor": "dome"}, "text": "x"}`,
		`{"clu_ws_ack": {"actor": ""}}`, `{"clu_ws_ack": {"actor": 5}}`, `{"clu_ws_ack": {"actor": "dome", "seq": -1}}`,
		`{"clu_ws_ack": {"actor": "` + long + `"}}`, `{"clu_ws_ack": {"actor": "dome", "by": "` + long + `"}}`,
		`{"clu_ws_ack": {"actor": "dome", "keys": ["` + long + `"]}}`, `{"clu_ws_ack": {"actor": "dome", "keys": [""]}}`,
		`{"clu_ws_ack": {"actor": "dome", "keys": ` + strings.ReplaceAll(string(many), "0", `"a"`) + `}}`,
		`{"clu_ws_ack": {"actor": "dome"}}` + strings.Repeat(" ", maxAckBytes),
	} {
		if a, err := ParseAck([]byte(body)); err == nil {
			t.Errorf("%.80s is taken as %+v", body, a)
		}
	}
}

func FuzzAnAcknowledgementIsBounded(f *testing.F) {
	f.Add([]byte(`{"clu_ws_ack": {"actor": "dome", "keys": ["silent"], "seq": 5, "epoch": "e", "by": "ana"}}`))
	f.Add([]byte(`{"clu_ws_ack": {"actor": "dome", "keys": null, "seq": 18446744073709551615}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAck(body)
		if err != nil {
			return
		}
		if a.Actor == "" || len(a.Keys) > maxAckKeys {
			t.Fatalf("%+v", a)
		}
		tr := New(Config{Epoch: "e", After: func(time.Duration, func()) func() bool { return func() bool { return true } }})
		tr.Acked(a, time.Unix(5, 0), 5)
		again, err := ParseAck(a.Body())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(a) {
			t.Fatalf("%+v is read back as %+v, %v", a, again, err)
		}
	})
}
