package audit

import (
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/quota"
)

// Refusals cost a client nothing, and must not fill the disk: in each window, a principal at
// an address has rows of its own for the first maxRefusals, and one for the number of the rest.
const (
	refusalWindow = 10 * time.Second
	maxRefusals   = 50
	// maxRefused bounds how many of them are told apart.
	maxRefused = 4096
)

// refused identifies a client that was refused something.
type refused struct{ name, address string }

// refusals counts refusals of each client.
type refusals struct {
	mu     sync.Mutex // guards the following fields
	counts map[refused]int
	window *time.Timer // ends the window; nil between windows
}

// allow reports whether a refusal has a row of its own. At the end of the window, more is called.
func (r *refusals) allow(w Who, more func(refused, int)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.window == nil {
		r.counts = map[refused]int{}
		r.window = time.AfterFunc(refusalWindow, func() { r.end(more) })
	}
	who := refused{w.Name, quota.Address(w.Remote)}
	if _, known := r.counts[who]; !known && len(r.counts) >= maxRefused {
		who = refused{}
	}
	r.counts[who]++
	return r.counts[who] <= maxRefusals
}

// end ends the window, and tells how many refusals had no row.
func (r *refusals) end(more func(refused, int)) {
	r.mu.Lock()
	counts := r.counts
	if r.window != nil {
		r.window.Stop()
	}
	r.counts, r.window = nil, nil
	r.mu.Unlock()
	for who, n := range counts {
		if n > maxRefusals {
			more(who, n-maxRefusals)
		}
	}
}

// Refused records what a client was not let do. Of many refusals, most are only counted.
func (l *Log) Refused(e Refused) {
	if l == nil || !l.refusals.allow(e.Who, l.moreRefused) {
		return
	}
	e.CommandString, e.Bytes = cut(e.CommandString)
	l.record("refused", e)
}

// moreRefused records the number of refusals without a row.
func (l *Log) moreRefused(who refused, n int) {
	l.record("refused_more", struct {
		Name   string `json:"name"`
		Remote string `json:"remote,omitempty"` // an address without port, or a network
		Count  int    `json:"count"`
	}{who.name, who.address, n})
}
