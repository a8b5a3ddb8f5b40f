package terminal

import (
	"errors"
	"sync"
	"time"
)

// awayGrace is how long a command's end is waited for while the bridge hears nothing: with a durable queue, it comes when
// the broker is there again.
const awayGrace = 30 * time.Second

// doubt decides when the end of a command that runs cannot be expected any more: it may have come unheard.
type doubt struct {
	giveUp func(why error)

	mu    sync.Mutex // guards the following fields
	timer *time.Timer
	away  bool // nothing is heard now
	gap   bool // something may have been missed, and nothing was heard of the command since
}

// event takes what has happened besides replies.
func (d *doubt) event(event Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch event := event.(type) {
	case LinkState:
		d.away = !event.Up
		if d.away {
			d.within(awayGrace, "nothing is heard any more"+because(event.Reason))
		}
	case Gap:
		d.gap = true
		d.within(lostGrace, "its last reply may have been missed"+because(event.Reason))
	}
	d.calm()
}

// heard takes note that the command still runs.
func (d *doubt) heard() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gap = false
	d.calm()
}

func (d *doubt) within(grace time.Duration, why string) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer = time.AfterFunc(grace, func() { d.giveUp(errors.New(why)) })
}

// calm stops the timer if there is no doubt any more.
func (d *doubt) calm() {
	if d.timer != nil && !d.away && !d.gap {
		d.timer.Stop()
	}
}

// end stops the timer.
func (d *doubt) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away, d.gap = false, false
	d.calm()
}
