package problem

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestAChangeIsToldAtOnceAndThoseThatFollowTogether(t *testing.T) {
	h := newHarness(t)
	h.clock.Pass(time.Minute)
	for i := range 5 {
		h.says("dome", "w", fmt.Sprintf(`{"text": "warning %d"}`, i))
		h.clock.Pass(10 * time.Millisecond)
	}
	h.says("mount", "w", `{"text": "a warning"}`)
	h.clock.Pass(10 * time.Second)
	if want := []string{"dome@60", "mount@60.05", "dome@60.25"}; !slices.Equal(h.told, want) {
		t.Errorf("told %q, want %q", h.told, want)
	}
}

func TestNoMoreThanFourChangesASecondAreTold(t *testing.T) {
	h := newHarness(t)
	for i := range 1000 {
		h.says("dome", []string{"w", "e", "!"}[i%3], fmt.Sprintf(`{"text": "%d"}`, i))
		h.clock.Pass(10 * time.Millisecond)
	}
	if n := len(h.told); n < 39 || n > 42 {
		t.Errorf("%d changes were told in 10 s", n)
	}
}

func TestThatAProblemWasSaidAgainIsToldOnceASecond(t *testing.T) {
	h := newHarness(t)
	for range 1000 {
		h.says("dome", "w", `{"text": "a warning"}`)
		h.clock.Pass(10 * time.Millisecond)
	}
	if n := len(h.told); n < 9 || n > 12 {
		t.Errorf("%d changes were told in 10 s", n)
	}
	h.told = nil
	h.says("dome", "!", `{"text": "an alarm"}`)
	h.clock.Pass(tellEvery)
	if len(h.told) != 1 {
		t.Errorf("the alarm was told %d times at once", len(h.told))
	}
}

func TestWhatTimeChangesIsTold(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy error 10s: weather.wind > 10")
	h.says("weather", "i", `{"wind": 11}`)
	h.clock.Pass(9 * time.Second)
	if len(h.told) != 0 {
		t.Errorf("told %q too early", h.told)
	}
	h.clock.Pass(2 * time.Second)
	if len(h.told) != 1 {
		t.Errorf("told %q", h.told)
	}
	h.says("weather", "i", `{"wind": 1}`)
	h.clock.Pass(time.Second)
	h.told = nil
	h.clock.Pass(endedFor)
	if len(h.told) != 1 {
		t.Errorf("that it is listed no longer was told %d times", len(h.told))
	}
}

func TestThatAConditionStillHoldsIsNotTold(t *testing.T) {
	h := newHarness(t)
	h.conditions("windy error 0s: weather.wind > 10")
	for range 60 {
		h.says("weather", "i", `{"wind": 11}`)
		h.clock.Pass(time.Second)
	}
	if len(h.told) != 1 {
		t.Errorf("told %q", h.told)
	}
}

func TestNothingIsToldOfThePast(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Past = true })
	h.says("dome", "!", `{"text": "leak"}`)
	h.clock.Pass(time.Minute)
	if len(h.told) != 0 || h.clock.Timers() != 0 {
		t.Errorf("told %q, %d timers", h.told, h.clock.Timers())
	}
	h.Live()
	h.expect("dome", "critical leak x1")
}

func TestAnIdleTrackerHasNoTimer(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "i", `{}`)
	if h.clock.Timers() != 0 {
		t.Error("there is a timer")
	}
	h.says("dome", "w", `{"text": "a warning"}`)
	if h.clock.Timers() != 1 {
		t.Error("there is no timer")
	}
	h.Close()
	if h.clock.Timers() != 0 {
		t.Error("the timer outlives the tracker")
	}
	h.says("dome", "w", `{"text": "another"}`)
	if h.clock.Timers() != 0 {
		t.Error("a closed tracker has a timer")
	}
}
