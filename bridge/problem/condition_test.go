package problem

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

func TestAConditionRaisesAProblemAndEndsIt(t *testing.T) {
	h := newHarness(t)
	h.conditions("unsafe critical 0s: weather.is_safe == false")
	h.says("weather", "i", `{"is_safe": true}`)
	h.expect("weather", "")
	h.says("weather", "i", `{"is_safe": false}`)
	h.says("weather", "i", `{"wind": 5}`)
	h.expect("weather", "critical weather.is_safe == false x1")
	h.clock.Pass(time.Minute)
	h.says("weather", "i", `{"is_safe": true}`)
	h.expect("weather", "error weather.is_safe == false x1 ended")
	h.says("weather", "i", `{"is_safe": false}`)
	h.expect("weather", "critical weather.is_safe == false x2")
	h.says("weather", "i", `{"is_safe": true}`)
	h.clock.Pass(endedFor)
	h.expect("weather", "error weather.is_safe == false x2 ended")
	h.clock.Pass(2 * time.Second)
	h.expect("weather", "")
}

func TestAnEndedWarningLeavesNothingBehind(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy warn 0s: weather.wind > 10")
	h.says("weather", "i", `{"wind": 11}`)
	h.expect("weather", "warn weather.wind > 10 x1")
	h.says("weather", "i", `{"wind": 9}`)
	h.expect("weather", "")
}

func TestAConditionMustHoldForItsTime(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy error 10s: weather.wind > 10")
	h.says("weather", "i", `{"wind": 11}`)
	h.clock.Pass(9 * time.Second)
	h.says("weather", "i", `{"wind": 9}`)
	h.clock.Pass(10 * time.Second)
	h.expect("weather", "")
	began := h.clock.Now()
	h.says("weather", "i", `{"wind": 11}`)
	h.clock.Pass(9 * time.Second)
	h.expect("weather", "")
	h.clock.Pass(2 * time.Second)
	h.expect("weather", "error weather.wind > 10 x1")
	problems, _ := h.Of("weather", nil)
	if !problems[0].Began.Equal(began) || problems[0].Keyword != "weather.wind" || problems[0].Key != "condition:windy" {
		t.Errorf("%+v", problems[0])
	}
}

func TestAConditionThatHeldLongEnoughBetweenTwoRepliesWasRaised(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Past = true })
	h.conditions("windy error 10s: weather.wind > 10")
	at := time.Unix(1000, 0)
	h.replyAt(filter.Reply{Sender: "weather", Code: "i"}, `{"wind": 11}`, at, 1)
	h.replyAt(filter.Reply{Sender: "weather", Code: "i"}, `{"wind": 9}`, at.Add(time.Minute), 2)
	h.expect("weather", "warn weather.wind > 10 x1 ended")
}

func TestWhatIsUnknownNeitherRaisesNorEnds(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy error 0s: weather.wind > 10", "both error 0s: weather.wind > 10 and dome.open == true")
	h.says("weather", "i", `{"wind": null}`)
	h.expect("weather", "")
	h.says("weather", "i", `{"wind": 11}`)
	h.says("weather", "i", `{"wind": null}`)
	h.expect("weather", "error weather.wind > 10 x1")
	h.says("weather", "i", `{"wind": 12}`)
	h.says("dome", "i", `{"open": true}`)
	h.expect("weather", "error weather.wind > 10 and dome.open == true x1, error weather.wind > 10 x1")
	h.says("dome", "i", `{"open": false}`)
	h.expect("weather", "error weather.wind > 10 x1, warn weather.wind > 10 and dome.open == true x1 ended")
}

func TestNullDoesNotEndTheAlarmOfAFlag(t *testing.T) {
	h := newHarness(t)
	h.conditions("unsafe critical 0s: weather.is_safe == false")
	h.says("weather", "i", `{"is_safe": null}`)
	h.expect("weather", "")
	h.says("weather", "i", `{"is_safe": false}`)
	h.says("weather", "i", `{"is_safe": null}`) // the station lost its sensor
	h.expect("weather", "critical weather.is_safe == false x1")
	h.says("weather", "i", `{"is_safe": true}`)
	h.expect("weather", "error weather.is_safe == false x1 ended")
}

func TestABetterWordingNeitherRevivesNorEndsAProblem(t *testing.T) {
	h := newHarness(t)
	unsafe := site.ConditionConfig{Name: "unsafe", When: "weather.is_safe == false", Level: "critical", Text: "no safe weather"}
	windy := site.ConditionConfig{Name: "windy", When: "weather.wind > 10", Text: "windy", For: time.Minute}
	limit := 5.0
	keywords := map[string]site.Keyword{"weather.rain": {High: &limit}}
	h.site(&site.Config{Conditions: []site.ConditionConfig{unsafe, windy}, Keywords: keywords})
	h.says("weather", "i", `{"is_safe": false, "wind": 11, "rain": 6}`)
	h.ack("weather", "", h.seq)
	h.says("weather", "i", `{"is_safe": null, "wind": null, "rain": null}`)
	h.clock.Pass(50 * time.Second)
	unsafe.Text, windy.Text, keywords["weather.rain"] = "not safe", "very windy", site.Keyword{High: &limit, Unit: "mm"}
	h.site(&site.Config{Conditions: []site.ConditionConfig{unsafe, windy}, Keywords: keywords})
	h.expect("weather", "critical not safe x1 acked, warn rain was above 5 mm, and is null now x1 acked")
	h.clock.Pass(11 * time.Second) // a minute after it began to hold
	h.expect("weather", "error very windy x1, critical not safe x1 acked, warn rain was above 5 mm, and is null now x1 acked")
}

func TestAConditionLooksIntoValues(t *testing.T) {
	h := newHarness(t)
	h.conditions("member warn 0s: lvm.sci.foc.status.motor == \"hot\"", "item warn 0s: lvm.sci.foc.temps.1 > 30")
	h.says("lvm", "i", `{"sci": 1}`)
	h.says("lvm.sci.foc", "i", `{"status": {"lamp": true}, "temps": [50]}`)
	h.expect("lvm.sci.foc", "")
	h.says("lvm.sci.foc", "i", `{"status": {"lamp": true, "motor": "hot"}, "temps": [1, 31]}`)
	h.expect("lvm.sci.foc", `warn lvm.sci.foc.temps.1 > 30 x1, warn lvm.sci.foc.status.motor == "hot" x1`)
	h.says("lvm.sci.foc", "i", `{"status": 5, "temps": [1, 30]}`)
	h.expect("lvm.sci.foc", `warn lvm.sci.foc.status.motor == "hot" x1`)
}

func TestTheCriticalLimitIsToldInPlaceOfTheLesser(t *testing.T) {
	h := newHarness(t)
	high, critical, low := 85.0, 95.0, 5.0
	h.site(&site.Config{Keywords: map[string]site.Keyword{"dome.humidity": {Unit: "%", Low: &low, High: &high, HighCritical: &critical}}})
	for _, c := range []struct{ value, want string }{
		{"50", ""},
		{"90", "warn humidity 90 %, above 85 % x1"},
		{"96", "critical humidity 96 %, above 95 % x1"},
		{"97", "critical humidity 97 %, above 95 % x1"},
		{"90", "error humidity was above 95 % x1 ended, warn humidity 90 %, above 85 % x1"},
		{"95.5", "critical humidity 95.5 %, above 95 % x2"},
		{"3", "error humidity was above 95 % x2 ended, warn humidity 3 %, below 5 % x1"},
	} {
		h.clock.Pass(time.Second)
		h.says("dome", "i", `{"humidity": `+c.value+`}`)
		h.expect("dome", c.want)
	}
	if counts := h.Counts(); counts[site.Warn] != 1 || counts[site.Error] != 1 || counts[site.Critical] != 0 {
		t.Errorf("counts are %v", counts)
	}
}

func TestAProblemOfAConditionHasTheValueThatItsKeywordHasNow(t *testing.T) {
	h := newHarness(t)
	h.site(&site.Config{
		Keywords:   map[string]site.Keyword{"weather.wind": {Unit: "m/s"}},
		Conditions: []site.ConditionConfig{{Name: "windy", When: "weather.wind > 10", Text: "Too much wind", For: 10 * time.Second}},
	})
	text := func() string {
		t.Helper()
		problems, _ := h.Of("weather", nil)
		if len(problems) != 1 {
			t.Fatalf("there are %v", problems)
		}
		return problems[0].Text
	}
	expect := func(want string) {
		t.Helper()
		if got := text(); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	h.says("weather", "i", `{"wind": 11}`)
	h.says("weather", "i", `{"wind": 12}`)
	h.clock.Pass(11 * time.Second)
	expect("Too much wind: wind 12 m/s, above 10 m/s")
	h.told = nil
	h.says("weather", "i", `{"wind": 13.5}`)
	h.says("weather", "i", `{"wind": 13.5}`)
	h.clock.Pass(3 * time.Second)
	if expect("Too much wind: wind 13.5 m/s, above 10 m/s"); len(h.told) != 1 {
		t.Errorf("a new value was told %d times", len(h.told))
	}
	h.says("weather", "i", `{"wind": null}`)
	expect("Too much wind")
	h.says("weather", "i", `{"wind": 14}`)
	expect("Too much wind: wind 14 m/s, above 10 m/s")
	h.told = nil
	for i := range 10 {
		h.says("weather", "i", fmt.Sprintf(`{"wind": 15.%d}`, i))
		h.clock.Pass(100 * time.Millisecond)
	}
	if len(h.told) > 2 {
		t.Errorf("ten values in a second were told %d times", len(h.told))
	}
	h.says("weather", "i", `{"wind": 9}`)
	expect("Too much wind")
	h.says("weather", "i", `{"wind": 12.5}`)
	h.clock.Pass(12 * time.Second) // raised by time alone
	expect("Too much wind: wind 12.5 m/s, above 10 m/s")
}

func TestOneOfTwoKeywordsHasAnotherValue(t *testing.T) {
	h := newHarness(t)
	h.site(&site.Config{Conditions: []site.ConditionConfig{{Name: "bad", When: "dome.wind > 10 and dome.rain > 1", Text: "Bad"}}})
	h.says("dome", "i", `{"wind": 11, "rain": 2}`)
	h.says("dome", "i", `{"wind": 12, "rain": 2}`)
	problems, _ := h.Of("dome", nil)
	if got := problems[0].Text; got != "Bad: wind 12, above 10; rain 2, above 1" {
		t.Errorf("it says %q", got)
	}
}

func TestAConditionThatHoldsWithTheSameValueAllocatesNothing(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy error 0s: weather.wind > 10")
	h.says("weather", "i", `{"wind": 11}`)
	name, value := []byte("wind"), []byte("11")
	one := func(yield func(name, value []byte) bool) { yield(name, value) }
	r := &Reply{Reply: &filter.Reply{Sender: "weather", Code: "i"}, Heard: h.clock.Now(), Keywords: one}
	if n := testing.AllocsPerRun(100, func() { h.Note(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConditionsThatStayTheSameKeepTheirStateWhenTheyAreReplaced(t *testing.T) {
	h := newHarness(t)
	h.conditions("unsafe critical 0s: weather.is_safe == false", "windy error 0s: weather.wind > 10", "gone error 0s: weather.wind > 5")
	h.says("weather", "i", `{"is_safe": false, "wind": 12}`)
	h.ack("weather", "condition:unsafe", h.seq)
	h.conditions("unsafe critical 0s: weather.is_safe == false", "windy warn 0s: weather.wind > 11", "new warn 0s: weather.is_safe == false and weather.wind < 20")
	h.expect("weather", "warn weather.is_safe == false and weather.wind < 20 x1, warn weather.wind > 11 x1, critical weather.is_safe == false x1 acked")
	h.says("weather", "i", `{"is_safe": true, "wind": 1}`)
	h.expect("weather", "")
	h.conditions()
	h.says("weather", "i", `{"is_safe": false}`)
	h.expect("weather", "")
}

func TestANewConditionKnowsTheValuesThatKeywordsHave(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Views = true })
	h.clock.Pass(time.Hour)
	h.conditions(`open error 0s: dome.shutter == "open" and dome.temps.1 > 5`, "large warn 0s: dome.large != 1", "wind warn 0s: weather.wind > 5")
	h.seq = 9
	h.says("weather", "i", `{"wind": 6}`)
	h.Seed(func(yield func(Value) bool) {
		at := time.Unix(60, 0)
		dome := filter.Reply{Sender: "dome", Code: "i", Keywords: []string{"shutter", "temps"}}
		yield(Value{Reply: dome, Known: true, Seq: 4, Heard: at, Keyword: "shutter", Value: []byte(`"open"`)})
		yield(Value{Reply: dome, Known: true, Seq: 5, Heard: at, Keyword: "temps", Value: []byte(`[1]`)})
		yield(Value{Reply: dome, Known: true, Seq: 5, Heard: at, Keyword: "temps", Value: []byte(`[1, 6]`)})
		yield(Value{Reply: filter.Reply{Sender: "dome"}, Seq: 5, Heard: at, Keyword: "large"})
		yield(Value{Reply: filter.Reply{Sender: "weather"}, Known: true, Seq: 5, Heard: at, Keyword: "wind", Value: []byte(`1`)}) // an older one
		yield(Value{Reply: filter.Reply{Sender: "other"}, Known: true, Seq: 5, Heard: at, Keyword: "x", Value: []byte(`1`)})
	})
	h.expect("dome", `error dome.shutter == "open" and dome.temps.1 > 5 x1, warn dome.large != 1 x1`)
	h.expect("weather", "warn weather.wind > 5 x1")
	problems, _ := h.Of("dome", nil)
	if !problems[0].Began.Equal(time.Unix(60, 0)) || problems[0].Seq != 5 {
		t.Errorf("%+v", problems[0])
	}
	some, err := filter.Parse([]byte(`{"sender": "dome"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := h.state("dome", filter.NewView([]*filter.Filter{some}, nil)); got != `error dome.shutter == "open" and dome.temps.1 > 5 x1` {
		t.Errorf("of what is not known who may hear it, a client is told %s", got)
	}
}

func TestAValueOfAnyLengthIsCompared(t *testing.T) {
	h := newHarness(t)
	h.conditions(`text warn 0s: a.x != "short"`)
	long := make([]byte, 2*maxValue)
	for i := range long {
		long[i] = 'x'
	}
	h.says("a", "i", `{"x": "`+string(long)+`"}`)
	h.expect("a", `warn a.x != "short" x1`)
}

func TestNotingAReplyWithoutAProblemAllocatesNothing(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Views = true })
	h.conditions("windy error 0s: weather.wind > 10")
	name, value := []byte("wind"), []byte("5")
	one := func(yield func(name, value []byte) bool) { yield(name, value) }
	r := &Reply{Reply: &filter.Reply{Sender: "weather", Code: "i", RoutingKey: "reply.broadcast"}, Heard: h.clock.Now(), Keywords: one}
	h.Note(r)
	if n := testing.AllocsPerRun(100, func() { h.Note(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	other := &Reply{Reply: &filter.Reply{Sender: "dome", Code: "i"}, Heard: h.clock.Now(), Body: []byte(`{}`), Keywords: keywordsOf(`{}`)}
	if n := testing.AllocsPerRun(100, func() { h.Note(other) }); n > 0 {
		t.Errorf("%v allocations for an actor without conditions", n)
	}
}
