//go:build unix

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// report is what the file says of a run.
type report struct {
	Seed     uint64                    `json:"seed"`
	Seconds  float64                   `json:"seconds"`
	Said     int                       `json:"broadcasts"`
	Checks   int                       `json:"checks"`
	Faults   map[string]int            `json:"faults"`
	Starts   map[string]int            `json:"starts"` // of bridges
	Commands map[string]map[string]int `json:"commands"`
	Gaps     map[string]int            `json:"gaps"`
	Cuts     map[string]int            `json:"cuts"`
	Missing  map[string]int            `json:"missing"` // lost by the broker, and told
	Samples  []sample                  `json:"samples"`
	Wrong    []string                  `json:"wrong"`
}

// print prints a line every ten seconds, until the context ends.
func (r *run) print(ctx context.Context) {
	every := time.NewTicker(printsEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			fmt.Fprintln(r.cfg.Out, r.line())
		case <-ctx.Done():
			return
		}
	}
}

func (r *run) line() string {
	r.mu.Lock()
	doing := r.doing
	r.mu.Unlock()
	var at []string
	for _, c := range r.clients {
		at = append(at, fmt.Sprintf("%s %d", c.name, c.last()))
	}
	return fmt.Sprintf("%-8s %-36s %d said; %s", r.at(), doing, r.weather.Sent(), strings.Join(at, ", "))
}

// report prints the verdict, writes the file, and fails the test if something is wrong.
func (r *run) report() {
	wrong := r.violations()
	result := report{
		Seed: r.cfg.Seed, Seconds: time.Since(r.began).Seconds(), Checks: r.checks, Faults: r.faults, Starts: map[string]int{},
		Commands: map[string]map[string]int{}, Gaps: map[string]int{}, Cuts: map[string]int{}, Missing: map[string]int{},
		Samples: r.samples, Wrong: wrong,
	}
	if r.weather != nil {
		result.Said = r.weather.Sent()
	}
	for _, b := range r.bridges {
		result.Starts[b.name] = b.starts
	}
	for _, c := range r.clients {
		c.mu.Lock()
		result.Commands[c.name], result.Gaps[c.name], result.Missing[c.name] = c.commands.Count(), c.gaps, c.subs[all].missing
		c.mu.Unlock()
		result.Cuts[c.name], _ = c.proxy.Faults()
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err == nil && r.cfg.Report != "" {
		err = os.WriteFile(r.cfg.Report, append(text, '\n'), 0o644)
	}
	if err != nil {
		r.t.Error(err)
	}
	for _, w := range wrong {
		r.t.Error(w)
	}
	if len(wrong) > 0 || r.t.Failed() {
		r.t.Logf("seed %d", r.cfg.Seed)
		r.mu.Lock()
		r.t.Logf("what was done:\n%s", strings.Join(r.past, "\n"))
		r.mu.Unlock()
		for _, b := range r.bridges {
			r.t.Logf("bridge %s ends:\n%s", b.name, b.proc.Output.Tail())
		}
		r.t.Logf("the broker's log:\n%s", r.node.Log())
	}
	verdict := "nothing is wrong"
	if r.t.Failed() {
		verdict = fmt.Sprintf("%d things are wrong; repeat it with SEED=%d", len(wrong), r.cfg.Seed)
	}
	fmt.Fprintf(r.cfg.Out, "%s %d broadcasts, %d checks, commands %v, gaps %v, cuts %v: %s\n", r.at(), result.Said, result.Checks, result.Commands, result.Gaps, result.Cuts, verdict)
}
