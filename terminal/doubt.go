package terminal

import (
	"errors"
	"sync"
	"time"
)

// awayGrace is how long a command's end is waited for while the bridge hears nothing: with a durable queue, it comes when
// the broker is there again.
const awayGrace = 30 * time.Second

// doubt decides when the end of a command that runs is waited for no longer, because nothing is heard.
type doubt struct {
	giveUp func(why error)

	mu    sync.Mutex  // guards timer
	timer *time.Timer // nil while the link is up
}

// event takes the state of the link.
func (d *doubt) event(s LinkState) {
	d.end()
	if s.Up {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(awayGrace, func() { d.giveUp(errors.New("nothing is heard any more" + because(s.Reason))) })
}

// end stops the timer.
func (d *doubt) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
