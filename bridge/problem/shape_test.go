package problem

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

func TestTextsThatDifferInMeasuredValuesAreTheSame(t *testing.T) {
	data, err := os.ReadFile("testdata/shapes.json")
	if err != nil {
		t.Fatal(err)
	}
	var all [][2]string
	if err := json.Unmarshal(data, &all); err != nil || len(all) < 20 {
		t.Fatal(len(all), err)
	}
	for _, c := range all {
		if got := sameText(c[0]); got != c[1] {
			t.Errorf("%q is %q, want %q", c[0], got, c[1])
		}
	}
}

func TestATextWithAnotherValueIsTheSameProblem(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "gust 23.1 m/s"}`)
	first := h.keyOf("dome", "gust 23.1 m/s")
	h.clock.Pass(time.Minute)
	h.says("dome", "!", `{"text": "gust 23.4 m/s"}`)
	h.says("dome", "w", `{"text": "gust 5 m/s"}`)
	h.expect("dome", "critical gust 23.4 m/s x2, warn gust 5 m/s x1") // a code is no value
	problems, _ := h.Of("dome", nil)
	if p := problems[0]; p.Key != first || p.Began != time.Unix(0, 0) || p.Time.Sub(p.Began) != time.Minute || p.Seq != 2 {
		t.Errorf("it is %+v", p)
	}
}

func TestAnotherThingThatFailsIsAProblemOfItsOwn(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "!", `{"text": "motor 3 stalled at 12.5 deg"}`)
	h.ack("dome", "", h.seq)
	h.says("dome", "!", `{"text": "motor 3 stalled at 13.5 deg"}`)
	h.expect("dome", "critical motor 3 stalled at 13.5 deg x2 acked")
	h.says("dome", "!", `{"text": "motor 4 stalled at 13.5 deg"}`)
	h.expect("dome", "critical motor 4 stalled at 13.5 deg x1, critical motor 3 stalled at 13.5 deg x2 acked")
}

func TestAnAcknowledgedTextReturnsWithAnotherCodeOrInAnotherEpisode(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "w", `{"text": "gust 15.1 m/s"}`)
	h.ack("dome", "", h.seq)
	h.says("dome", "w", `{"text": "gust 15.9 m/s"}`)
	h.expect("dome", "warn gust 15.9 m/s x2 acked")
	h.says("dome", "!", `{"text": "gust 25.9 m/s"}`)
	h.expect("dome", "critical gust 25.9 m/s x1, warn gust 15.9 m/s x2 acked")
	h.clock.Pass(ackedFor + 2*time.Second)
	h.says("dome", "w", `{"text": "gust 16.2 m/s"}`)
	h.expect("dome", "critical gust 25.9 m/s x1, warn gust 16.2 m/s x1")
}
