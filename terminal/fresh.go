package terminal

import (
	"fmt"
	"math"
	"time"
)

// The rule of the bridge for a silent actor: it has said nothing for so many times its rhythm, but at least so long.
const (
	silentRhythms = 4
	silentAtLeast = 5 * time.Second
)

// AnyAge is a maximum age that accepts every value.
const AnyAge = time.Duration(math.MaxInt64)

// staleness returns why a value must not be taken for the present one, and "" if it may. A maximum age of 0 stands
// for the rule of the bridge: the actor is silent, or gone.
func staleness(a ActorValues, k Keyword, broker string, now time.Time, maxAge time.Duration) string {
	if maxAge == AnyAge {
		return ""
	}
	if k.Time == nil {
		return "its age is not known"
	}
	age := now.Sub(*k.Time)
	if maxAge > 0 {
		if age > maxAge {
			return fmt.Sprintf("it is %s old", ago(age))
		}
		return ""
	}
	if !hearsActors(broker) {
		return fmt.Sprintf("it is %s old, and the bridge hears no actors now", ago(age))
	}
	if k.Outdated {
		return fmt.Sprintf("it is %s old, and the bridge may have missed a newer one: ask the actor for its status", ago(age))
	}
	if silent := silence(a, now); silent != "" {
		return fmt.Sprintf("it is %s old, and %s", ago(age), silent)
	}
	return ""
}

// silence returns why an actor that should be heard is not, and "" if it is as usual.
func silence(a ActorValues, now time.Time) string {
	if a.Consumer != nil && !*a.Consumer {
		return "its actor takes no commands any more"
	}
	if a.IntervalMS == nil || a.Time == nil {
		return ""
	}
	rhythm := time.Duration(*a.IntervalMS * float64(time.Millisecond))
	if quiet := now.Sub(*a.Time); quiet > max(silentRhythms*rhythm, silentAtLeast) {
		return fmt.Sprintf("its actor has been silent for %s", ago(quiet))
	}
	return ""
}

// ago writes a span of time for people.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}
