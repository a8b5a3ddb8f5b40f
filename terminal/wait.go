package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/site"
)

// WaitOptions are the options of [Wait].
type WaitOptions struct {
	Condition string
	Timeout   time.Duration // 0: without end
	MaxAge    time.Duration // 0: see staleness
}

// errTrue ends [Link.Listen] when the condition is true.
var errTrue = errors.New("the condition is true")

// Wait waits until a condition on keywords is true, as in dome.dome_shutter==open. A value that is too old counts as
// not known: the condition becomes true by a fresh one only.
func Wait(ctx context.Context, e *Env, o WaitOptions) error {
	if strings.TrimSpace(o.Condition) == "" {
		return Usage("name a condition, as in clu-ws wait 'dome.dome_shutter==open'")
	}
	condition, err := site.ParseExpr(quoteBareWords(o.Condition))
	if err != nil {
		return Usage("the condition %s is not understood: %w", o.Condition, err)
	}
	if o.Timeout < 0 || o.MaxAge < 0 {
		return Usage("a time must not be negative")
	}
	within := ctx
	if o.Timeout > 0 {
		var stop context.CancelFunc
		within, stop = context.WithTimeout(ctx, o.Timeout)
		defer stop()
	}
	link, err := e.dialToListen(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return exit(ExitTime, "the time ran out before there was a connection to the bridge")
	}
	if err != nil {
		return err
	}
	defer link.Close()
	return wait(ctx, within, e, link, condition, o)
}

// wait waits for as long as both contexts last: the second one ends with the time, too.
func wait(ctx, within context.Context, e *Env, link Link, condition *site.Expr, o WaitOptions) error {
	known := &knownValues{link: link, maxAge: o.MaxAge, actors: map[string]ActorValues{}}
	err := link.Listen(within, actorsOf(condition.Refs()), func(event Event) error {
		switch event := event.(type) {
		case Values:
			known.snapshot(event)
		case *Reply:
			known.reply(event)
		default:
			e.noteEvent(event)
			if _, gap := event.(Gap); gap {
				clear(known.actors) // what changed unheard is not known
			}
			return nil
		}
		if condition.Eval(known.value(condition.Refs())) == site.True {
			return errTrue
		}
		return nil
	})
	if errors.Is(err, errTrue) {
		return known.print(e, condition.Refs())
	}
	if within.Err() != nil && ctx.Err() == nil {
		return exit(ExitTime, "the time ran out; %s", known.said(condition.Refs()))
	}
	return orInterrupted(ctx, err)
}

// actorsOf returns what selects the replies of the actors of keywords. All of their replies are heard, not only those with
// the keywords: they show that an actor is alive.
func actorsOf(refs []string) (selections []Selection) {
	senders := map[string][]string{} // by their first part
	for _, ref := range refs {
		for _, reading := range readingsOf(ref) {
			name, _, _ := strings.Cut(ref, ".")
			senders[name] = append(senders[name], reading.Actor)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(senders)) {
		names := slices.Compact(slices.Sorted(slices.Values(senders[name])))
		filter := map[string]any{"sender": names}
		if len(names) == 1 {
			filter["sender"] = name
		}
		selections = append(selections, Selection{Filter: filter, Snapshot: true})
	}
	return selections
}

// readingsOf returns what the name of a keyword in a condition may mean.
func readingsOf(ref string) []Pattern {
	parts := strings.Split(ref, ".")
	all := Pattern{Actor: parts[0], Keyword: parts[1], Path: parts[2:]}.readings()
	return all[:len(all)-1] // not as an actor without a keyword
}

// bareWord matches a comparison with a word that is not in quotes: in a shell, the quotes are tedious.
var bareWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(==|!=)(\s*)([\p{L}_][\p{L}\p{N}_-]*)`)

// noTexts are words that are not texts, or that the parser refuses with an explanation.
var noTexts = map[string]bool{"true": true, "false": true, "null": true, "none": true, "nil": true, "yes": true,
	"no": true, "on": true, "off": true, "and": true, "or": true}

// quoteBareWords puts the words of a condition that are compared in quotes.
func quoteBareWords(condition string) string {
	return bareWord.ReplaceAllStringFunc(condition, func(found string) string {
		parts := bareWord.FindStringSubmatch(found)
		if parts[1] == "" || noTexts[strings.ToLower(parts[3])] {
			return found
		}
		return parts[1] + parts[2] + `"` + parts[3] + `"`
	})
}

// knownValues are the last values of the keywords of a condition.
type knownValues struct {
	link   Link
	maxAge time.Duration
	actors map[string]ActorValues
}

func (v *knownValues) snapshot(s Values) { maps.Copy(v.actors, s.Actors) }

func (v *knownValues) reply(r *Reply) {
	a := v.actors[r.Sender]
	at := r.Heard
	if a.Keywords == nil {
		a.Keywords = map[string]Keyword{}
	}
	a.Time = nil
	if !at.IsZero() {
		a.Time = &at
	}
	if a.Consumer != nil && !*a.Consumer {
		a.Consumer = nil // it is heard, so it may be there again
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(r.Body, &body) == nil {
		for name, value := range body {
			a.Keywords[name] = Keyword{Value: value, Time: a.Time}
		}
	}
	v.actors[r.Sender] = a
}

// find returns the value of a keyword, ACTOR.KEYWORD, and why it is too old.
func (v *knownValues) find(ref string) (value json.RawMessage, stale string) {
	a, k, path, ok := v.keyword(ref)
	if !ok {
		return nil, ""
	}
	return member(k.Value, path), staleness(a, k, v.link.Hello().Broker, v.link.Now(), v.maxAge)
}

// keyword returns a keyword, its actor, and the path to the value in it.
func (v *knownValues) keyword(ref string) (a ActorValues, k Keyword, path []string, ok bool) {
	for _, reading := range readingsOf(ref) {
		a = v.actors[reading.Actor]
		if k, ok = a.Keywords[reading.Keyword]; ok {
			return a, k, reading.Path, true
		}
	}
	return ActorValues{}, Keyword{}, nil, false
}

// value returns what an expression takes its values from. One that is too old is not known.
func (v *knownValues) value(refs []string) func(int) []byte {
	return func(i int) []byte {
		value, stale := v.find(refs[i])
		if stale != "" {
			return nil
		}
		return value
	}
}

// said returns the values for a sentence.
func (v *knownValues) said(refs []string) string {
	var all []string
	for _, ref := range refs {
		value, stale := v.find(ref)
		switch {
		case value == nil:
			all = append(all, ref+" is not known")
		case stale != "":
			all = append(all, ref+" was "+plain(value)+", but "+stale)
		default:
			all = append(all, ref+" is "+plain(value))
		}
	}
	return strings.Join(all, ", ")
}

// print prints the values with which the condition is true.
func (v *knownValues) print(e *Env, refs []string) error {
	for _, ref := range refs {
		value, stale := v.find(ref)
		if value == nil || stale != "" {
			continue // of another side of an "or"
		}
		var err error
		if e.JSON {
			err = e.json(gotValue{Keyword: ref, Value: value, Time: v.timeOf(ref), Age: v.ageOf(ref)})
		} else {
			err = e.line(ref + " " + plain(value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *knownValues) timeOf(ref string) *time.Time {
	_, k, _, _ := v.keyword(ref)
	return k.Time
}

func (v *knownValues) ageOf(ref string) *float64 {
	at := v.timeOf(ref)
	if at == nil {
		return nil
	}
	age := max(0, v.link.Now().Sub(*at).Seconds())
	return &age
}
