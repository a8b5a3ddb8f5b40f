package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// actorLine is an actor as --json prints it.
type actorLine struct {
	Name     string     `json:"name"`
	State    string     `json:"state"`
	Time     *time.Time `json:"time"`
	Interval *float64   `json:"interval_ms"`
	Consumer *bool      `json:"consumer"`
	Keywords int        `json:"keywords"`
}

// Actors prints the actors that have been heard, and whether they are still there.
func Actors(ctx context.Context, e *Env) error {
	link, err := e.dialToListen(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	raw, err := link.Ask(ctx, "actors", nil)
	var answer struct{ Actors []actorLine }
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		return orInterrupted(ctx, err)
	}
	now, broker := link.Now(), link.Hello().Broker
	rows := [][]string{{"ACTOR", "STATE", "HEARD", "RHYTHM", "COMMANDS", "KEYWORDS"}}
	for _, a := range answer.Actors {
		a.State = liveness(a, broker, now)
		if e.JSON {
			if err := e.json(a); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, a.row(now))
	}
	switch {
	case e.JSON:
		return nil
	case len(rows) == 1:
		e.note("no actor has been heard yet")
		return nil
	}
	return e.table(rows)
}

// The states of an actor.
const (
	actorAlive   = "alive"
	actorSilent  = "silent"  // it has not said anything for too long
	actorGone    = "gone"    // it does not take commands any more
	actorUnknown = "unknown" // the bridge cannot know it, or the actor has no rhythm
)

// liveness returns the state of an actor. One that was heard once and has no rhythm is alive as long as it takes
// commands; if that is not known either, nothing is.
func liveness(a actorLine, broker string, now time.Time) string {
	switch {
	case !hearsActors(broker):
		return actorUnknown
	case a.Consumer != nil && !*a.Consumer:
		return actorGone
	case silence(ActorValues{Time: a.Time, IntervalMS: a.Interval}, now) != "":
		return actorSilent
	case a.Consumer == nil && a.Interval == nil:
		return actorUnknown
	}
	return actorAlive
}

func (a actorLine) row(now time.Time) []string {
	heard, rhythm, commands := "never", "none", "not known"
	if a.Time != nil {
		heard = ago(now.Sub(*a.Time)) + " ago"
	}
	if a.Interval != nil {
		rhythm = ago(time.Duration(*a.Interval * float64(time.Millisecond)))
	}
	if a.Consumer != nil {
		commands = "not taken"
		if *a.Consumer {
			commands = "taken"
		}
	}
	return []string{visible(a.Name), a.State, heard, rhythm, commands, fmt.Sprint(a.Keywords)}
}
