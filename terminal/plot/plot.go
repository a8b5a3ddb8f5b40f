package plot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/terminal"
)

// Options says what to plot.
type Options struct {
	Keywords []string // such as weather.wind_speed_ms
	Since    string   // a span such as 1h, or a time; "" is one hour
	Until    string   // "" is now
	CSV      bool
	Extremes bool // of CSV: columns of the least and the greatest values
	Points   int  // how many values of each keyword; 0 is as many as the bridge gives
	Height   int  // of a curve, in lines; 0 is ten
	ASCII    bool // the terminal has no UTF-8
}

// The bridge's bounds of a request: values of a keyword, and of all.
const (
	maxPoints    = 5_000
	maxAllPoints = 60_000
)

// maxHeight is the largest height of a curve, in lines.
const maxHeight = 1000

// Run plots what keywords were.
func Run(ctx context.Context, env *terminal.Env, o Options) error {
	if len(o.Keywords) == 0 {
		return terminal.Usage("name a keyword, such as weather.wind_speed_ms")
	}
	if o.Height < 0 || o.Height > maxHeight || o.Points < 0 {
		return terminal.Usage("--height is from 1 to %d lines, and --points is not negative", maxHeight)
	}
	if env.JSON {
		return terminal.Usage("plot prints no JSON; write it as a table by --csv")
	}
	for _, name := range o.Keywords {
		if actor, keyword, ok := strings.Cut(name, "."); !ok || actor == "" || keyword == "" {
			return terminal.Usage("%q is no keyword: write ACTOR.KEYWORD, such as weather.wind_speed_ms", name)
		}
	}
	link, err := env.Dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	raw, err := link.Ask(ctx, "history", o.request())
	if err != nil {
		return err
	}
	a, err := parse(raw)
	if err != nil {
		return err
	}
	units := unitsOf(ctx, link, o.Keywords)
	unit := func(keyword string) string { return units[keyword] }
	a.warn(env)
	if o.CSV {
		return a.writeCSV(env.Stdout, o.Keywords, o.Extremes, unit)
	}
	width := 80
	if env.Width != nil && env.Width() > 0 {
		width = env.Width()
	}
	if o.Height == 0 {
		o.Height = 10
	}
	_, err = fmt.Fprint(env.Stdout, a.draw(size{width, o.Height, o.ASCII}, link.Now(), unit))
	return err
}

// request returns the fields of op history.
func (o Options) request() map[string]any {
	points := o.Points
	if points == 0 {
		points = min(maxPoints, maxAllPoints/len(o.Keywords))
	}
	fields := map[string]any{"keywords": o.Keywords, "points": points, "from": past(o.Since, "1h")}
	if o.Until != "" {
		fields["to"] = past(o.Until, "")
	}
	return fields
}

// past returns a time as the bridge reads it: a span has a sign.
func past(when, otherwise string) string {
	if when == "" {
		when = otherwise
	}
	if _, err := time.ParseDuration(when); err == nil && !strings.HasPrefix(when, "-") {
		return "-" + when
	}
	return when
}

// warn says what is not there though it was asked for.
func (a *answer) warn(env *terminal.Env) {
	if a.Filling {
		fmt.Fprintln(env.Stderr, "clu-ws: the bridge still reads the past from its stream; ask again later for more")
	}
	if len(a.Evicted) > 0 {
		fmt.Fprintln(env.Stderr, "clu-ws: the bridge has dropped older values of", shown(strings.Join(a.Evicted, ", ")))
	}
}

// unitsOf returns the units of keywords, as far as the models of their actors tell.
func unitsOf(ctx context.Context, link terminal.Link, keywords []string) map[string]string {
	units := map[string]string{}
	models := map[string]map[string]model.Keyword{}
	for _, name := range keywords {
		path := strings.Split(name, ".")
		if _, asked := models[path[0]]; !asked {
			var m struct{ Keywords map[string]model.Keyword }
			if raw, err := link.Ask(ctx, "model", map[string]any{"actor": path[0]}); err == nil {
				_ = json.Unmarshal(raw, &m) // without a model there are no units
			}
			models[path[0]] = m.Keywords
		}
		k := model.Keyword{Members: models[path[0]]}
		for _, part := range path[1:] {
			if k.Items != nil {
				k = *k.Items
			} else {
				k = k.Members[part]
			}
		}
		units[name] = shown(k.Unit)
	}
	return units
}
