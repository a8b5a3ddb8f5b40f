package terminal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"time"
)

// ListenOptions are the options of [Listen].
type ListenOptions struct {
	Patterns []string
	Senders  []string
	Codes    string // such as we!
	Filter   string // JSON, see docs/protocol.md
	Internal bool   // internal replies, too
	Since    time.Duration
	Count    int           // end after so many replies; 0: never
	Wait     time.Duration // end after this time; 0: never
}

// errEnough ends [Link.Listen] after the last reply that was asked for.
var errEnough = errors.New("there are enough replies")

// errNoJSON is why --filter cannot be used.
const noFilter = `--filter must be an object in JSON, such as '{"message_code": ["w", "e"]}'`

// selections returns what the options select. known reports whether an actor has been heard whose name a glob matches: it
// decides where in a pattern the name of an actor with points ends.
func (o ListenOptions) selections(known func(glob string) bool) (all []Selection, err error) {
	base := map[string]any{}
	if o.Filter != "" {
		if err := json.Unmarshal([]byte(o.Filter), &base); err != nil || base == nil {
			return nil, Usage("%s", noFilter)
		}
	}
	if len(o.Senders) > 0 {
		base["sender"] = o.Senders
	}
	if o.Codes != "" {
		var codes []string
		for _, c := range o.Codes {
			if c != ',' && c != ' ' {
				codes = append(codes, string(c))
			}
		}
		base["message_code"] = codes
	}
	if _, given := base["internal"]; !o.Internal && !given {
		base["internal"] = false
	}
	patterns, err := parsePatterns(o.Patterns)
	if err != nil {
		return nil, err
	}
	if len(patterns) == 0 {
		return []Selection{{Filter: base}}, nil
	}
	for _, p := range patterns {
		before := len(all)
		for i, reading := range p.readings() {
			if len(reading.Path) > 0 || i > 0 && !known(reading.Actor) {
				continue
			}
			f := reading.filter()
			for key, value := range base {
				if _, given := f[key]; given {
					return nil, Usage("%q already says which %s; leave out one of the two", p.String(), key)
				}
				f[key] = value
			}
			all = append(all, Selection{Filter: f})
		}
		if len(all) == before {
			return nil, Usage("%q names a member of a value, or an actor that was not heard yet; replies are selected by ACTOR or ACTOR.KEYWORD, and by --sender", p.String())
		}
	}
	return all, nil
}

// check returns what is wrong with the options, as far as it is known without a bridge.
func (o ListenOptions) check() error {
	if o.Count < 0 || o.Wait < 0 || o.Since < 0 {
		return Usage("a number or a time must not be negative")
	}
	_, err := o.selections(func(string) bool { return true })
	return err
}

// selectionsOn returns what the options select on a bridge, which is asked for its actors if a pattern has points.
func (o ListenOptions) selectionsOn(ctx context.Context, link Link) ([]Selection, error) {
	var answer struct{ Actors []actorLine }
	if slices.ContainsFunc(o.Patterns, func(p string) bool { return strings.Contains(p, ".") }) {
		if raw, err := link.Ask(ctx, "actors", nil); err == nil {
			_ = json.Unmarshal(raw, &answer) // without it, the names of actors have no points
		}
	}
	return o.selections(func(glob string) bool {
		return slices.ContainsFunc(answer.Actors, func(a actorLine) bool {
			ok, _ := path.Match(glob, a.Name)
			return ok && strings.Contains(a.Name, ".")
		})
	})
}

// Listen prints replies as they come.
func Listen(ctx context.Context, e *Env, o ListenOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	link, err := e.dialToListen(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	selections, err := o.selectionsOn(ctx, link)
	if err != nil {
		return err
	}
	return listen(ctx, e, link, selections, o)
}

func listen(ctx context.Context, e *Env, link Link, selections []Selection, o ListenOptions) error {
	e.noteFresh(o.Since)
	missing, err := beginBefore(ctx, link, selections, o.Since)
	if err != nil {
		return err
	}
	if missing != nil && !e.Fresh { // which was told
		e.noteEvent(*missing)
	}
	within := ctx
	if o.Wait > 0 {
		var stop context.CancelFunc
		within, stop = context.WithTimeout(ctx, o.Wait)
		defer stop()
	}
	out := newLineWriter(e.Stdout)
	defer out.Close()
	heard := 0
	err = link.Listen(within, selections, func(event Event) error {
		switch event := event.(type) {
		case *Reply:
			heard++
			if err := out.Line(func(w *bufio.Writer) { writeReply(w, event, e.JSON, e.Color) }); err != nil {
				return err
			}
			if heard == o.Count {
				return errEnough
			}
		default:
			if err := out.Flush(); err != nil { // the note comes after what was before
				return err
			}
			e.noteEvent(event)
		}
		return nil
	})
	if err := out.Flush(); err != nil {
		return err
	}
	switch {
	case errors.Is(err, errEnough):
		return nil
	case within.Err() != nil && ctx.Err() == nil: // --wait
		if heard == 0 || heard < o.Count {
			return exit(ExitTime, "the time ran out after %d replies", heard)
		}
		return nil
	}
	return orInterrupted(ctx, err)
}

// noteEvent tells what happened besides replies.
func (e *Env) noteEvent(event Event) {
	switch event := event.(type) {
	case Gap:
		switch {
		case event.Seconds != nil:
			e.note("replies of %s may be missing here%s", ago(time.Duration(*event.Seconds*float64(time.Second))), because(event.Reason))
		default:
			e.note("replies may be missing here%s", because(event.Reason))
		}
	case Dropped:
		e.note("%d replies were left out here: they were read too slowly", event.Count)
	case LinkState:
		if event.Up {
			e.note("connected again")
		} else {
			e.note("nothing is heard now%s", because(event.Reason))
		}
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
