package snapshot

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestOnlyBroadcastsCountForTheRhythm(t *testing.T) {
	s := New(Limits{})
	for n := range 40 {
		r := say("dome", uint64(n+1), `{}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if n%2 == 1 {
			r.Broadcast = false // somebody asks for its status twice as often
		}
		s.Note(r)
	}
	l, e, ok := s.LivenessOf("dome")
	if l.Interval != 2*time.Second || l.Last != noon.Add(39*time.Second) || e.Seq != 39 || !ok {
		t.Errorf("its rhythm is %+v, the last broadcast %+v", l, e)
	}
}

func TestAnInterruptionIsNoSpaceOfTheRhythm(t *testing.T) {
	s := New(Limits{})
	at, seq := noon, uint64(0)
	for range 10 {
		for range 3 {
			at, seq = at.Add(time.Second), seq+1
			r := say("dome", seq, `{}`)
			r.Time = at
			s.Note(r)
		}
		s.Interrupt()
		at = at.Add(time.Hour / 2)
	}
	if l, _, _ := s.LivenessOf("dome"); l.Interval != time.Second {
		t.Errorf("its rhythm is %v", l.Interval)
	}
}

func TestAnActorIsWrittenWithItsRhythmAndItsConsumer(t *testing.T) {
	s := New(Limits{})
	for n := range 5 {
		r := say("dome", uint64(n+1), `{}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if changed := s.Note(r); changed != (n == 4) {
			t.Errorf("after %d broadcasts the rhythm has changed: %v", n+1, changed)
		}
	}
	p := NewEncoder(nil, nil, 0, func(text []byte) []byte { return text })
	for presence, want := range map[Presence]string{Unknown: "null", Absent: "false", Present: "true"} {
		if changed := s.SetConsumer("dome", presence); changed == s.SetConsumer("dome", presence) && presence != Unknown {
			t.Error("it has not changed")
		}
		head := fmt.Sprintf(`"time": "2026-11-21T12:00:04.123456+00:00", "code": "i", "seq": 5, "interval_ms": 1000, "consumer": %s, "keywords": `, want)
		if got := string(s.Append(nil, nil)); got != `{"dome": {`+head+`{}}}` {
			t.Errorf("got %s", got)
		}
		if got := string(s.AppendActors(nil)); got != `[{"name": "dome", `+head+`0}]` {
			t.Errorf("got %s", got)
		}
		p.Start(s) // a snapshot that is kept is brought up to date
		for !p.Step(func(int) bool { return false }) {
		}
		if got := string(p.Parts()[0]); got != `"dome": {`+head+`{}}` {
			t.Errorf("the kept snapshot has %s", got)
		}
	}
	if s.SetConsumer("mount", Present) {
		t.Error("an actor that was never heard has a consumer")
	}
}

func TestTheRhythmOfWhatIsHiddenIsNotTold(t *testing.T) {
	s := New(Limits{})
	s.KeepNames()
	for n := range 10 {
		r := say("dome", uint64(n+1), `{"open": true}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if n > 0 {
			r.Body = []byte(`{"secret": 1}`)
		}
		s.Note(r)
	}
	head := `"time": "` + noonText + `", "code": "i", "seq": 1`
	if text, _ := s.visible(hiding("secret")); text != `{"dome": {`+head+unheard+`, "keywords": {"open": {"value": true, `+head+`}}}}` {
		t.Errorf("got %s", text)
	}
	if text, _ := s.visible(hiding("another")); !strings.Contains(text, `"interval_ms": 1000`) {
		t.Errorf("got %s", text)
	}
}
