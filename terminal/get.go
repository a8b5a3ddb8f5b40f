package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// GetOptions are the options of [Get].
type GetOptions struct {
	Patterns []string
	MaxAge   time.Duration // 0: see staleness
}

// gotValue is a value that was found, as --json prints it.
type gotValue struct {
	Keyword string          `json:"keyword"`
	Value   json.RawMessage `json:"value"`
	Time    *time.Time      `json:"time"`
	Age     *float64        `json:"age_seconds"`
	stale   string
}

// Get prints the last values of keywords. A single keyword's value is printed alone. A value that is too old is not
// printed: it is told with its age, and the exit code is [ExitTime].
func Get(ctx context.Context, e *Env, o GetOptions) error {
	patterns, err := parsePatterns(o.Patterns)
	if err != nil {
		return err
	}
	if len(patterns) == 0 {
		return Usage("name a keyword, as in clu-ws get weather.is_safe")
	}
	if o.MaxAge < 0 {
		return Usage("the maximum age must not be negative")
	}
	link, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	return get(ctx, e, link, patterns, o.MaxAge)
}

func parsePatterns(texts []string) (patterns []Pattern, err error) {
	for _, text := range texts {
		p, err := ParsePattern(text)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func get(ctx context.Context, e *Env, link Link, patterns []Pattern, maxAge time.Duration) error {
	var printed []gotValue
	var problems []error
	seen := map[string]bool{}
	for _, p := range patterns {
		found, err := p.find(ctx, link, maxAge)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			problems = append(problems, exit(ExitTime, "no value of %s is known", p))
		}
		for _, v := range found {
			switch {
			case seen[v.Keyword]:
			case v.stale != "":
				problems = append(problems, exit(ExitTime, "%s is too old: %s", v.Keyword, v.stale))
			default:
				printed = append(printed, v)
			}
			seen[v.Keyword] = true
		}
	}
	alone := len(patterns) == 1 && len(printed) == 1 && printed[0].Keyword == patterns[0].String()
	if err := printValues(e, printed, alone); err != nil {
		return err
	}
	if len(printed) == 0 && e.Fresh {
		e.note("%s", freshBridge)
	}
	return errors.Join(problems...)
}

// String returns the pattern as it is written.
func (p Pattern) String() string {
	text := p.Actor
	for _, part := range append([]string{p.Keyword}, p.Path...) {
		if part != "" {
			text += "." + part
		}
	}
	return text
}

// find returns the values that the pattern selects, in each of its readings.
func (p Pattern) find(ctx context.Context, link Link, maxAge time.Duration) (found []gotValue, err error) {
	for _, reading := range p.readings() {
		values, err := snapshotOf(ctx, link, reading)
		if err != nil {
			return nil, err
		}
		found = append(found, reading.pick(values, link, maxAge)...)
	}
	return found, nil
}

// snapshotOf returns the last values of what a pattern selects.
func snapshotOf(ctx context.Context, link Link, p Pattern) (values Values, err error) {
	raw, err := link.Ask(ctx, "snapshot", map[string]any{"filter": p.filter()})
	if err == nil {
		err = json.Unmarshal(raw, &values)
	}
	return values, orInterrupted(ctx, err)
}

// pick returns what a pattern selects of a snapshot, in the order of the names.
func (p Pattern) pick(values Values, link Link, maxAge time.Duration) (found []gotValue) {
	now := link.Now()
	for _, actor := range slices.Sorted(maps.Keys(values.Actors)) {
		a := values.Actors[actor]
		for _, name := range slices.Sorted(maps.Keys(a.Keywords)) {
			if !p.matches(actor, name) {
				continue
			}
			k := a.Keywords[name]
			k.Outdated = values.GapAfter > 0 && k.Seq <= values.GapAfter
			v := gotValue{Keyword: actor + "." + name, Value: member(k.Value, p.Path), Time: k.Time}
			for _, part := range p.Path {
				v.Keyword += "." + part
			}
			if v.Value == nil && k.TooLarge == 0 {
				continue
			}
			if k.Time != nil {
				age := now.Sub(*k.Time).Seconds()
				v.Age = &age
			}
			v.stale = staleness(a, k, link.Hello().Broker, now, maxAge)
			if k.TooLarge > 0 {
				v.stale = "it is too large for the bridge to keep, and comes with the replies only"
			}
			found = append(found, v)
		}
	}
	return found
}

// printValues prints values: a single one that was asked for by its name alone, others with their names and ages.
func printValues(e *Env, values []gotValue, alone bool) error {
	if e.JSON {
		for _, v := range values {
			if err := e.json(v); err != nil {
				return err
			}
		}
		return nil
	}
	if alone {
		return e.line(plain(values[0].Value))
	}
	if len(values) == 0 {
		return nil
	}
	rows := [][]string{{"KEYWORD", "VALUE", "AGE"}}
	for _, v := range values {
		age := ""
		if v.Age != nil {
			age = ago(time.Duration(*v.Age * float64(time.Second)))
		}
		rows = append(rows, []string{visible(v.Keyword), plain(v.Value), age})
	}
	return e.table(rows)
}

// table prints a table.
func (e *Env) table(rows [][]string) error {
	text := table(e.width(), rows)
	return e.line(text[:len(text)-1])
}
