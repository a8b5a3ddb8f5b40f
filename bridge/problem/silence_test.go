package problem

import (
	"strings"
	"testing"
	"time"
)

// lives notes how alive an actor is, as it was last heard.
func (h *harness) lives(actor string, interval time.Duration, consumer ...bool) {
	life := Life{Actor: actor, Heard: h.clock.Now(), Seq: h.seq, Interval: interval}
	if len(consumer) > 0 {
		life.Consumer, life.Known = consumer[0], true
	}
	h.NoteLives([]Life{life})
}

func TestAnActorThatSaysNothingForFourTimesItsRhythmIsSilent(t *testing.T) {
	for interval, limit := range map[time.Duration]time.Duration{time.Second: 5 * time.Second, 10 * time.Second: 40 * time.Second} {
		h := newHarness(t)
		h.says("dome", "i", `{}`)
		h.lives("dome", interval)
		h.clock.Pass(limit)
		h.expect("dome", "")
		h.clock.Pass(2 * time.Second)
		h.expect("dome", "error silent: it usually broadcasts every "+interval.String()+" x1")
		problems, _ := h.Of("dome", nil)
		if !problems[0].Time.Equal(time.Unix(0, 0)) || problems[0].Kind != Silent || !problems[0].Active || problems[0].Seq != 1 {
			t.Errorf("%+v", problems[0])
		}
	}
}

func TestSilenceEndsWhenTheActorIsHeard(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "i", `{}`)
	h.lives("dome", time.Second)
	h.clock.Pass(30 * time.Second)
	h.says("dome", "i", `{}`)
	h.expect("dome", "") // it was brief
	h.clock.Pass(2 * time.Minute)
	h.says("dome", "i", `{}`)
	h.expect("dome", "warn silent: it usually broadcasts every 1s x1 ended")
	h.clock.Pass(20 * time.Second)
	h.expect("dome", "error silent: it usually broadcasts every 1s x2")
	h.ack("dome", "", h.seq)
	h.expect("dome", "error silent: it usually broadcasts every 1s x2 acked")
	h.says("dome", "i", `{}`)
	h.expect("dome", "")
	h.clock.Pass(20 * time.Second)
	h.expect("dome", "error silent: it usually broadcasts every 1s x1")
}

func TestNobodyIsSilentWhileTheBridgeCannotHear(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "i", `{}`)
	h.says("mount", "i", `{}`)
	h.lives("dome", time.Second)
	h.lives("mount", time.Second)
	h.clock.Pass(3 * time.Second)
	h.says("mount", "i", `{}`)
	h.clock.Pass(4 * time.Second) // the dome is silent
	h.SetLinked(false)
	h.clock.Pass(time.Minute)
	h.expect("mount", "")
	h.expect("dome", "error silent: it usually broadcasts every 1s x1")
	h.SetLinked(true)
	h.clock.Pass(settle - time.Second)
	h.expect("mount", "")
	h.expect("dome", "error silent: it usually broadcasts every 1s x1")
	h.clock.Pass(3 * time.Second)
	h.expect("mount", "error silent: it usually broadcasts every 1s (not heard again since the broker was away) x1")
}

func TestAnOutageOfTheBrokerLetsNoActorSeemDeadThatComesBack(t *testing.T) {
	h := newHarness(t)
	for _, actor := range []string{"dome", "mount", "late"} {
		h.says(actor, "i", `{}`)
		h.lives(actor, time.Second, true)
	}
	h.SetLinked(false)
	h.clock.Pass(10 * time.Second)
	h.SetLinked(true)
	told := len(h.told)
	for range 10 { // the bridge is back first, and finds no consumers
		h.NoteLives([]Life{{Actor: "dome", Interval: time.Second, Known: true}, {Actor: "mount", Interval: time.Second, Known: true}, {Actor: "late", Known: true}})
		h.clock.Pass(time.Second)
	}
	for range 20 {
		h.says("dome", "i", `{}`)
		h.lives("dome", time.Second, true)
		h.clock.Pass(time.Second)
	}
	h.expect("dome", "")
	h.expect("mount", "error silent, and nothing takes its commands any more: it seems to have stopped (not heard again since the broker was away) x1")
	h.expect("late", "error nothing takes its commands any more: it seems to have stopped (not heard again since the broker was away) x1")
	if got := h.told[told:]; len(got) < 2 || strings.Contains(strings.Join(got, " "), "dome") {
		t.Errorf("changes were told of %v", got)
	}
	h.says("mount", "i", `{}`)
	h.lives("mount", time.Second, false)
	h.expect("mount", "error nothing takes its commands any more: it seems to have stopped x1")
	h.lives("mount", time.Second, true)
	h.expect("mount", "")
}

func TestAPauseOfTheProcessIsNoSilence(t *testing.T) {
	h := newHarness(t, func(c *Config) {
		c.After = func(time.Duration, func()) func() bool { return func() bool { return true } } // no timer runs
	})
	h.says("dome", "i", `{}`)
	h.lives("dome", time.Second)
	h.clock.Pass(time.Hour)
	h.lives("other", time.Second)
	h.expect("dome", "")
}

func TestAnActorWithoutARhythmIsNotSilent(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "i", `{}`)
	h.lives("dome", 0, true)
	h.clock.Pass(time.Hour)
	h.expect("dome", "")
}

func TestAnActorWhoseCommandsNobodyTakesAnyMoreHasStopped(t *testing.T) {
	h := newHarness(t)
	h.says("dome", "i", `{}`)
	h.lives("dome", 0, true)
	h.lives("dome", 0)
	h.lives("dome", 0, false)
	h.expect("dome", "error nothing takes its commands any more: it seems to have stopped x1")
	h.lives("dome", 0)
	h.expect("dome", "error nothing takes its commands any more: it seems to have stopped x1")
	h.lives("dome", 0, true)
	h.expect("dome", "")
	h.lives("dome", time.Second, false)
	h.clock.Pass(10 * time.Second)
	h.expect("dome", "error silent, and nothing takes its commands any more: it seems to have stopped x1")
	h.lives("weather", 0, false) // it never had a consumer, as far as is known
	h.expect("weather", "")
}

func TestAnActorThatDiedInThePastIsSilentSoonAfterTheStart(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Past = true })
	h.clock.Pass(time.Hour)
	h.NoteLives([]Life{{Actor: "dome", Heard: time.Unix(60, 0), Seq: 5, Interval: time.Second}})
	h.Live()
	h.expect("dome", "")
	h.clock.Pass(7 * time.Second)
	h.expect("dome", "error silent: it usually broadcasts every 1s x1")
	problems, _ := h.Of("dome", nil)
	if !problems[0].Began.Equal(time.Unix(60, 0)) || problems[0].Seq != 5 {
		t.Errorf("%+v", problems[0])
	}
}
