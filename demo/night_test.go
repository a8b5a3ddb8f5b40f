package demo_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/demo"
)

func withNight(t *testing.T, seed uint64, test func(t *testing.T, o *observatory)) {
	t.Helper()
	withConfig(t, demo.Config{Night: true, Seed: seed}, test)
}

// pass lets time pass, and returns all replies meanwhile.
func (o *observatory) pass(d time.Duration) []actor.Reply {
	time.Sleep(d)
	return o.all()
}

// from returns the replies of one actor.
func from(replies []actor.Reply, sender string) []actor.Reply {
	return slices.DeleteFunc(slices.Clone(replies), func(r actor.Reply) bool { return r.Sender != sender })
}

func TestWithinAMinuteANightHasDuskImagesAStormAndAnActorThatDies(t *testing.T) {
	withNight(t, 7, func(t *testing.T, o *observatory) {
		evening := o.pass(40 * time.Second)
		if sun := values[float64](t, from(evening, "weather"), "sun_alt_deg"); sun[0] < -2 || sun[0] > 3 || sun[len(sun)-1] > -10 {
			t.Errorf("the sun is at %v", sun)
		}
		if times := values[string](t, from(evening, "weather"), "night_time"); times[0] > "23:32" || times[len(times)-1] < "00:35" && times[len(times)-1] > "23" {
			t.Errorf("it is %v", times)
		}
		if shutter := slices.Compact(values[string](t, from(evening, "dome"), "dome_shutter")); !slices.Equal(shutter, []string{"closed", "opening", "open"}) {
			t.Errorf("in the evening the shutter is %v", shutter)
		}
		if states := slices.Compact(values[string](t, from(evening, "mount"), "state")); len(states) < 3 || states[0] != "parked" || !slices.Contains(states, "tracking") {
			t.Errorf("in the evening the mount is %v", states)
		}
		if images := slices.Compact(values[int](t, from(evening, "camera"), "image_number")); images[len(images)-1] < 2 {
			t.Errorf("in the evening the images are %v", images)
		}

		storm := o.pass(9 * time.Second)
		if safe := slices.Compact(values[bool](t, from(storm, "weather"), "is_safe")); !slices.Equal(safe, []bool{true, false}) {
			t.Errorf("the storm makes is_safe %v", safe)
		}
		if shutter := slices.Compact(values[string](t, from(storm, "dome"), "dome_shutter")); !slices.Equal(shutter, []string{"closing", "closed"}) {
			t.Errorf("in the storm the shutter is %v", shutter)
		}

		last := from(slices.Concat(storm, o.pass(10*time.Second)), "spectrograph")
		var codes []actor.Code
		for _, r := range last {
			if r.CommandID == "" && r.Code != actor.Info {
				codes = append(codes, r.Code)
			}
		}
		if !slices.Equal(codes, []actor.Code{actor.Warning, actor.Critical}) {
			t.Errorf("the spectrograph ends with %v", codes)
		}
		if gone := from(o.pass(15*time.Second), "spectrograph"); len(gone) > 0 {
			t.Errorf("after its end it says %s", gone[0].Body)
		}
		if back := values[float64](t, from(o.pass(20*time.Second), "spectrograph"), "cryostat_temp_k"); len(back) < 5 || slices.Max(back) > 124 {
			t.Errorf("when it is back, the temperatures are %v", back)
		}
	})
}

func TestAfterTheStormTheNightGoesOnUntilDawnAndBeginsAgain(t *testing.T) {
	withNight(t, 7, func(t *testing.T, o *observatory) {
		time.Sleep(95 * time.Second)
		night := o.pass(200 * time.Second) // the storm ends
		if shutter := slices.Compact(values[string](t, from(night, "dome"), "dome_shutter")); !slices.Contains(shutter, "open") {
			t.Errorf("after the storm the shutter is %v", shutter)
		}
		dawn := o.pass(46 * time.Second) // 341 s
		if last := from(dawn, "dome"); value[string](t, last[len(last)-1], "dome_shutter") == "open" {
			t.Error("at dawn the dome is open")
		}
		if again := slices.Compact(values[string](t, from(o.pass(20*time.Second), "dome"), "dome_shutter")); !slices.Contains(again, "open") {
			t.Errorf("in the next night the shutter is %v", again)
		}
	})
}

func TestAnActorThatSomebodyCommandsIsLeftToThemForTheNight(t *testing.T) {
	withNight(t, 7, func(t *testing.T, o *observatory) {
		o.pass(20 * time.Second)
		o.do("dome", "close")
		o.all()
		for _, r := range from(o.pass(20*time.Second), "dome") {
			if strings.HasPrefix(r.CommanderID, "night-observer.") && r.Code == actor.Running {
				t.Fatal("the observer commands the dome, which somebody has closed")
			}
		}
		if state := value[string](t, o.do("dome", "status").Last(), "dome_shutter"); state != "closed" {
			t.Errorf("it is %s", state)
		}
	})
}

func TestTheSameSeedMakesTheSameNight(t *testing.T) {
	nights := map[string]bool{}
	for _, seed := range []uint64{7, 7, 8} {
		withNight(t, seed, func(t *testing.T, o *observatory) {
			var said bytes.Buffer
			for _, r := range o.pass(45 * time.Second) {
				if r.Sender == "weather" && r.CommandID == "" {
					fmt.Fprintf(&said, "%s %s\n", r.Code, r.Body)
				}
				if r.Sender == "mount" && r.Code == actor.Info && r.Keywords()["target_ra_deg"] != nil {
					fmt.Fprintf(&said, "%s\n", r.Keywords()["target_ra_deg"])
				}
			}
			nights[said.String()] = true
		})
	}
	if len(nights) != 2 {
		t.Errorf("two seeds made %d different nights in three runs", len(nights))
	}
}

func TestTheSpectrographHasStatusWordsABigIntegerAndNoNumber(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		last := o.do("spectrograph", "status").Last() // in which NaN has become null
		body := string(last.Body)
		for _, want := range []string{`"lamp_current_a":null`, `"frame_id":5853498713190525696`, `"spectrograph_status":"0x0003"`, `"spectrograph_status_labels":"CRYOSTAT_COLD,COOLER_ON"`} {
			if !strings.Contains(body, want) {
				t.Errorf("there is no %s in %s", want, body)
			}
		}
		o.do("spectrograph", "lamp on")
		if body := string(o.do("spectrograph", "frame --count 2").Last().Body); strings.Contains(body, "null") || !strings.Contains(body, `"frame_id":5853498713190525698`) {
			t.Errorf("after two frames with the lamp on it says %s", body)
		}
	})
}

func TestTheSpectrographEndsWhenItsCryostatWarmsAndComesBack(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		o.do("spectrograph", "cooler off")
		time.Sleep(15 * time.Second)
		_, err := o.send("spectrograph", "status").Wait(o.ctx)
		if err == nil || !strings.Contains(err.Error(), "Failed routing message") {
			t.Errorf("when it is gone: %v", err)
		}
		time.Sleep(30 * time.Second)
		o.do("spectrograph", "status")
	})
}
