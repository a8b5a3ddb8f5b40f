package terminal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// HzOptions are the options of [Hz].
type HzOptions struct {
	Actor string
	For   time.Duration // how long is measured
	Count int           // end after so many replies; 0: when the time is over
}

// rate is how often something came.
type rate struct {
	last              time.Time
	intervals         int
	sum, squares      float64 // of the intervals, in seconds
	shortest, longest float64
}

// add takes note of a moment.
func (r *rate) add(at time.Time) {
	if !r.last.IsZero() && !at.IsZero() {
		interval := at.Sub(r.last).Seconds()
		if r.intervals == 0 || interval < r.shortest {
			r.shortest = interval
		}
		r.longest = max(r.longest, interval)
		r.intervals++
		r.sum += interval
		r.squares += interval * interval
	}
	r.last = at
}

// mean returns the mean interval and its standard deviation.
func (r *rate) mean() (mean, deviation float64) {
	n := float64(r.intervals)
	mean = r.sum / n
	return mean, math.Sqrt(max(0, r.squares/n-mean*mean))
}

// rateLine is a rate as --json prints it. Without two replies it has none.
type rateLine struct {
	Keyword  string   `json:"keyword"` // "" is all replies
	Count    int      `json:"count"`
	Hz       *float64 `json:"hz"`
	Jitter   *float64 `json:"jitter_ms"`
	Shortest *float64 `json:"shortest_ms"`
	Longest  *float64 `json:"longest_ms"`
}

// Hz measures how often an actor replies, and says each keyword, by the times at which the bridge heard it.
func Hz(ctx context.Context, e *Env, o HzOptions) error {
	switch {
	case o.Actor == "":
		return Usage("name an ACTOR, as in clu-ws hz weather")
	case o.For <= 0 || o.Count < 0:
		return Usage("--for must be longer than 0, and --count not negative")
	}
	link, err := e.dialToListen(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	return hz(ctx, e, link, o)
}

func hz(ctx context.Context, e *Env, link Link, o HzOptions) error {
	within, stop := context.WithTimeout(ctx, o.For)
	defer stop()
	var all rate
	count := 0
	keywords := map[string]*rate{}
	counts := map[string]int{}
	err := link.Listen(within, []Selection{{Filter: map[string]any{"sender": o.Actor}}}, func(event Event) error {
		r, ok := event.(*Reply)
		if !ok {
			e.noteEvent(event)
			all.last = time.Time{} // the interval over a gap is none
			for _, k := range keywords {
				k.last = time.Time{}
			}
			return nil
		}
		count++
		all.add(r.Heard)
		for _, key := range jsonscan.Keys(nil, r.Body) {
			k := keywords[key]
			if k == nil {
				k = &rate{}
				keywords[strings.Clone(key)] = k // the key aliases the reply
			}
			k.add(r.Heard)
			counts[strings.Clone(key)]++
		}
		if count == o.Count {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) && within.Err() == nil {
		return orInterrupted(ctx, err)
	}
	if count == 0 {
		if ctx.Err() != nil {
			return orInterrupted(ctx, ctx.Err())
		}
		return exit(ExitTime, "%s said nothing in %s", o.Actor, ago(o.For))
	}
	lines := []rateLine{all.line("", count)}
	for _, name := range slices.Sorted(maps.Keys(keywords)) {
		lines = append(lines, keywords[name].line(name, counts[name]))
	}
	return e.rates(o.Actor, lines)
}

func (r *rate) line(name string, count int) rateLine {
	l := rateLine{Keyword: name, Count: count}
	if r.intervals > 0 && r.sum > 0 {
		mean, deviation := r.mean()
		ms := func(seconds float64) *float64 { v := math.Round(seconds*1e6) / 1e3; return &v }
		hz := 1 / mean
		l.Hz, l.Jitter, l.Shortest, l.Longest = &hz, ms(deviation), ms(r.shortest), ms(r.longest)
	}
	return l
}

// rates prints the lines.
func (e *Env) rates(actor string, lines []rateLine) error {
	rows := [][]string{{"KEYWORD", "COUNT", "HZ", "JITTER", "SHORTEST", "LONGEST"}}
	shown := func(v *float64, unit string) string {
		switch {
		case v == nil:
			return "-"
		case *v >= 100:
			return fmt.Sprintf("%.0f%s", *v, unit)
		}
		return fmt.Sprintf("%.3g%s", *v, unit)
	}
	for _, l := range lines {
		if e.JSON {
			if err := e.json(l); err != nil {
				return err
			}
			continue
		}
		name := l.Keyword
		if name == "" {
			name = "(all replies of " + actor + ")"
		}
		rows = append(rows, []string{visible(name), fmt.Sprint(l.Count), shown(l.Hz, ""), shown(l.Jitter, " ms"), shown(l.Shortest, " ms"), shown(l.Longest, " ms")})
	}
	if e.JSON {
		return nil
	}
	return e.table(rows)
}
