package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress shows the progress of a run: a bar that is redrawn on a terminal, and a line for each scenario elsewhere. It is
// too small to be worth a library.
type progress struct {
	to       io.Writer
	terminal bool
	total    float64 // estimated seconds of the whole run
	start    time.Time

	mu    sync.Mutex // guards the following fields
	done  float64    // seconds of total in steps that have ended
	step  float64    // estimated seconds of the current step
	since time.Time  // when it started
	label string
	shown string // the scenario that was printed last
}

const barWidth = 24

func newProgress(to io.Writer, total float64) *progress {
	p := &progress{to: to, total: total, start: time.Now()}
	if file, ok := to.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// begin starts a step with its estimated seconds, and ends the one before.
func (p *progress) begin(scenario, what string, seconds float64) {
	p.mu.Lock()
	p.done += p.step
	p.step, p.since, p.label = seconds, time.Now(), scenario+": "+what
	news := p.shown != scenario
	p.shown = scenario
	p.mu.Unlock()
	switch {
	case p.to == nil:
	case p.terminal:
		p.draw()
	case news:
		fmt.Fprintf(p.to, "%4.0fs  %s\n", time.Since(p.start).Seconds(), scenario)
	}
}

// animate draws the bar until it is stopped, and then erases it.
func (p *progress) animate() (stop func()) {
	if !p.terminal {
		return func() {}
	}
	ticker := time.NewTicker(250 * time.Millisecond)
	over, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case <-ticker.C:
				p.draw()
			case <-over:
				fmt.Fprint(p.to, "\r\x1b[K")
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(over)
		<-gone
	}
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.done + min(p.step, time.Since(p.since).Seconds())
	share := min(1, now/max(p.total, 1))
	bar := strings.Repeat("=", int(share*barWidth))
	left := time.Duration((p.total - now) * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(p.to, "\r[%-*s] %3.0f%%  %v left  %s\x1b[K", barWidth, bar, 100*share, max(left, 0), p.label)
}
