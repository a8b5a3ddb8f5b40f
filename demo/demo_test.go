package demo_test

import (
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/demo"
)

func TestEveryActorAnswersAndHasASchemaOfItsKeywords(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		for name, keyword := range map[string]string{"mount": "ra_deg", "dome": "dome_shutter", "camera": "ccd_temp_c", "weather": "is_safe", "spectrograph": "cryostat_temp_k"} {
			o.do(name, "ping")
			o.do(name, "keyword "+keyword)
			schema := value[string](t, o.do(name, "get_schema").Last(), "schema")
			for k := range o.do(name, "status").Last().Keywords() {
				if !strings.Contains(schema, `"`+k+`"`) {
					t.Errorf("the schema of %s lacks its keyword %s", name, k)
				}
			}
		}
	})
}

func TestTheMountSlewsWithProgressAndTracks(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		if state := value[string](t, o.do("mount", "status").Last(), "state"); state != "parked" {
			t.Errorf("it begins %s", state)
		}
		r := o.do("mount", "slew 80 -40")
		if progress := values[float64](t, r.Replies, "progress_percent"); len(progress) < 5 || !slices.IsSorted(progress) {
			t.Errorf("the progress is %v", progress)
		}
		last := r.Last()
		if value[string](t, last, "state") != "tracking" || value[float64](t, last, "ra_deg") != 80 || value[float64](t, last, "dec_deg") != -40 {
			t.Errorf("it arrives with %s", last.Body)
		}
		// No real time passes in the bubble, but all actors broadcast each second.
		time.Sleep(20 * time.Minute)
		later := o.do("mount", "status").Last()
		if value[float64](t, later, "ra_deg") != 80 {
			t.Errorf("after a while it tracks %s", later.Body)
		}
		moved := math.Abs(value[float64](t, later, "az_deg")-value[float64](t, last, "az_deg")) + math.Abs(value[float64](t, later, "alt_deg")-value[float64](t, last, "alt_deg"))
		if moved < 1 {
			t.Errorf("in 20 minutes of tracking the axes moved %v degrees", moved)
		}
		stopped := o.do("mount", "stop").Last()
		time.Sleep(20 * time.Minute)
		still := o.do("mount", "status").Last()
		if value[float64](t, still, "alt_deg") != value[float64](t, stopped, "alt_deg") || value[float64](t, still, "ra_deg") < 84.5 {
			t.Errorf("stopped, it goes from %s to %s", stopped.Body, still.Body)
		}
		o.do("mount", "track")
		parked := o.do("mount", "park").Last()
		if value[string](t, parked, "state") != "parked" || value[float64](t, parked, "alt_deg") != 30 || value[float64](t, parked, "az_deg") != 180 {
			t.Errorf("it parks with %s", parked.Body)
		}
	})
}

func TestTheMountRefusesTargetsThatItCannotReach(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		for command, want := range map[string]string{
			"slew 360 0":   "cannot be parsed",
			"slew -1 0":    "cannot be parsed",
			"slew 0 90.5":  "cannot be parsed",
			"slew 0 89":    "below the horizon limit",
			"slew here it": "does not exist or cannot be parsed",
			"slew 1":       "does not exist or cannot be parsed",
			"track":        "parked",
		} {
			if reason := o.refused("mount", command); !strings.Contains(reason, want) {
				t.Errorf("%s: %s", command, reason)
			}
		}
	})
}

func TestASlewCanBeStoppedButNotReplaced(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		slew := o.send("mount", "slew 80 -40")
		synctest.Wait()
		if reason := o.refused("mount", "park"); !strings.Contains(reason, "slewing already") {
			t.Error(reason)
		}
		if state := value[string](t, o.do("mount", "stop").Last(), "state"); state != "stopped" {
			t.Errorf("stopped, it is %s", state)
		}
		if reason := o.reason(slew); !strings.Contains(reason, "was stopped") {
			t.Error(reason)
		}
	})
}

func TestTheDomeOpensInThreeSeconds(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		began := time.Now()
		r := o.do("dome", "open")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		states := slices.Compact(values[string](t, r.Replies, "dome_shutter"))
		percent := values[float64](t, r.Replies, "dome_shutter_percent")
		if !slices.Equal(states, []string{"opening", "open"}) || !slices.IsSorted(percent) || len(percent) != 7 || percent[6] != 100 {
			t.Errorf("it went %v, %v", states, percent)
		}
		states = slices.Compact(values[string](t, o.do("dome", "close").Replies, "dome_shutter"))
		if !slices.Equal(states, []string{"closing", "closed"}) {
			t.Errorf("it went %v", states)
		}
	})
}

func TestClosingStopsAnOpening(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		opening := o.send("dome", "open")
		time.Sleep(time.Second)
		if state := value[string](t, o.do("dome", "close").Last(), "dome_shutter"); state != "closed" {
			t.Errorf("it is %s", state)
		}
		if reason := o.reason(opening); !strings.Contains(reason, "must close") {
			t.Error(reason)
		}
		o.do("dome", "close") // closed already
	})
}

func TestTheDomeStaysClosedInAStorm(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		o.do("weather", "simulate storm")
		if reason := o.refused("dome", "open"); !strings.Contains(reason, "weather is unsafe") {
			t.Error(reason)
		}
		o.do("weather", "simulate clear")
		o.do("dome", "open")
	})
}

func TestTheDomeClosesAutomaticallyWhenTheWeatherBecomesUnsafe(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		o.do("dome", "open")
		o.take("dome")
		o.do("weather", "simulate storm")
		time.Sleep(4 * time.Second)
		broadcasts := o.take("dome")
		if alerts := values[string](t, broadcasts, "alert"); len(alerts) != 1 || !strings.Contains(alerts[0], "closes automatically") {
			t.Errorf("the alerts are %q", alerts)
		}
		states := slices.Compact(values[string](t, broadcasts, "dome_shutter"))
		if !slices.Equal(states, []string{"closing", "closed"}) {
			t.Errorf("it went %v", states)
		}
	})
}

func TestWithoutItsGuardTheDomeDoesOnlyWhatItIsTold(t *testing.T) {
	withConfig(t, demo.Config{Speed: 1, Seed: 7, NoDomeGuard: true}, func(t *testing.T, o *observatory) {
		o.do("dome", "open")
		o.take("dome")
		o.do("weather", "simulate storm")
		time.Sleep(10 * time.Second)
		broadcasts := o.take("dome")
		if states := slices.Compact(values[string](t, broadcasts, "dome_shutter")); !slices.Equal(states, []string{"open"}) {
			t.Errorf("in the storm it went %v", states)
		}
		if safe := values[bool](t, broadcasts, "weather_safe"); safe[len(safe)-1] {
			t.Error("it does not say that the weather is unsafe")
		}
		o.do("dome", "close")
		o.do("dome", "open")
	})
}

func TestTheDomeRotatesByTheShorterWay(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		r := o.do("dome", "rotate 330")
		az := values[float64](t, r.Replies, "dome_az_deg")
		if len(az) != 11 || az[1] != 357 || az[10] != 330 || value[bool](t, r.Last(), "dome_rotating") {
			t.Errorf("it went %v", az)
		}
		turning := o.send("dome", "rotate 100")
		synctest.Wait()
		if reason := o.refused("dome", "rotate 5"); !strings.Contains(reason, "rotating already") {
			t.Error(reason)
		}
		o.do("dome", "stop")
		if reason := o.reason(turning); !strings.Contains(reason, "stopped") {
			t.Error(reason)
		}
		if reason := o.refused("dome", "rotate 400"); !strings.Contains(reason, "cannot be parsed") {
			t.Error(reason)
		}
	})
}

func TestTheCameraTakesNumberedImages(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		for number, filename := range []string{"demo-00000001.fits", "demo-00000002.fits"} {
			began := time.Now()
			r := o.do("camera", "expose 2 dark")
			if took := time.Since(began); took != 4*time.Second {
				t.Errorf("it took %v", took)
			}
			states := values[string](t, r.Replies, "camera_state")
			if !slices.Equal(states, []string{"integrating", "reading", "idle"}) {
				t.Errorf("it went %v", states)
			}
			if percent := values[float64](t, r.Replies, "exposure_percent"); !slices.Equal(percent, []float64{0, 25, 50, 75, 100}) {
				t.Errorf("the progress is %v", percent)
			}
			last := r.Last()
			if value[string](t, last, "filename") != filename || value[int](t, last, "image_number") != number+1 ||
				value[string](t, last, "image_type") != "dark" || math.Abs(value[float64](t, last, "ccd_temp_c")+110) > 1 {
				t.Errorf("it ends with %s", last.Body)
			}
		}
	})
}

func TestAnExposureCanBeAbortedButNotReplaced(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		if reason := o.refused("camera", "abort"); !strings.Contains(reason, "nothing to abort") {
			t.Error(reason)
		}
		exposure := o.send("camera", "expose 100")
		synctest.Wait()
		if reason := o.refused("camera", "expose 1"); !strings.Contains(reason, "taking an image already") {
			t.Error(reason)
		}
		o.do("camera", "abort")
		if reason := o.reason(exposure); !strings.Contains(reason, "aborted") {
			t.Error(reason)
		}
		o.do("camera", "expose 0 bias")
		for command, want := range map[string]string{"expose -1": "cannot be parsed", "expose 1 cat": "cannot be parsed"} {
			if reason := o.refused("camera", command); !strings.Contains(reason, want) {
				t.Errorf("%s: %s", command, reason)
			}
		}
	})
}

func TestTheWeatherIsBroadcastOnceASecondAndVaries(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		o.take("weather")
		time.Sleep(10 * time.Minute)
		broadcasts := o.take("weather")
		temperatures := values[float64](t, broadcasts, "temperature_c")
		if n := len(temperatures); n != 600 {
			t.Errorf("in ten minutes it was broadcast %d times", n)
		}
		if low, high := slices.Min(temperatures), slices.Max(temperatures); low == high || low < 5 || high > 13 {
			t.Errorf("the temperature goes from %v to %v", low, high)
		}
		gusts := 0
		for _, r := range broadcasts {
			if r.Code == actor.Warning {
				gusts++
			}
		}
		if gusts < 2 || gusts > 20 {
			t.Errorf("there were %d warnings", gusts)
		}
		if safe := values[bool](t, broadcasts, "is_safe"); slices.Contains(safe, false) {
			t.Error("clear weather became unsafe")
		}
	})
}

func TestAStormRaisesOneAlertAndEnds(t *testing.T) {
	withObservatory(t, 1, func(t *testing.T, o *observatory) {
		o.take("weather")
		o.do("weather", "simulate storm")
		time.Sleep(time.Minute)
		o.do("weather", "simulate clear")
		var codes []actor.Code
		for _, r := range o.take("weather") {
			if _, ok := r.Keywords()["alert"]; ok {
				codes = append(codes, r.Code)
			}
		}
		if !slices.Equal(codes, []actor.Code{actor.Error, actor.Info}) {
			t.Errorf("the alerts are %v", codes)
		}
		if reason := o.refused("weather", "simulate snow"); !strings.Contains(reason, "cannot be parsed") {
			t.Error(reason)
		}
	})
}

func TestAFasterObservatoryDoesTheSameInLessTime(t *testing.T) {
	withObservatory(t, 100, func(t *testing.T, o *observatory) {
		began := time.Now()
		r := o.do("camera", "expose 8")
		if took := time.Since(began); took < 90*time.Millisecond || took > 110*time.Millisecond {
			t.Errorf("ten seconds took %v", took)
		}
		if percent := values[float64](t, r.Replies, "exposure_percent"); len(percent) != 17 {
			t.Errorf("the progress is %v", percent)
		}
	})
}

func TestAnObservatoryWhoseContextHasEndedEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	synctest.Test(t, func(t *testing.T) {
		if err := demo.Run(ctx, demo.Config{URL: "amqp://guest:guest@127.0.0.1:1/", Dial: noNetwork, Night: true}); err != nil {
			t.Error(err)
		}
	})
}

// noNetwork fails to connect to anything.
func noNetwork(string, string) (net.Conn, error) { return nil, errors.New("there is no network") }

func TestAnObservatoryWithAWrongURLIsRefused(t *testing.T) {
	if err := demo.Run(context.Background(), demo.Config{URL: "http://localhost"}); err == nil {
		t.Error("it ran")
	}
}
