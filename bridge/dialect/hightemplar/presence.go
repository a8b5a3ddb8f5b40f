package hightemplar

import (
	"context"
	"net/http"
	"sync"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// presence is what the backend is to be told of a client. Callbacks go out one after the other, and a
// client that sends ping while one runs is worth one more.
type presence struct {
	fields http.Header // nil if the backend wants to be told nothing

	// mu guards the following fields.
	mu              sync.Mutex
	busy            bool // a callback waits or runs
	online, offline bool // what is to be told next, in this order
}

// tell tells the backend that a client is online, or that it has left.
func (d *service) tell(p *presence, online bool) {
	if p.fields == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if online {
		p.online = d.cfg.NotifyOnline != ""
	} else {
		p.offline = d.cfg.NotifyOffline != ""
	}
	if !p.busy && (p.online || p.offline) {
		p.busy = true
		d.enqueue(p)
	}
}

// enqueue has the next callback sent in its turn. If the backend hangs, clients that come and go must
// not take memory without end: what is too much is dropped, and noted. p.mu is held.
func (d *service) enqueue(p *presence) {
	d.told.Add(1)
	if !d.callbacks.Do(func() {
		defer d.told.Done()
		d.notify(p)
	}) {
		d.told.Done()
		d.failures.Note("too many callbacks wait")
		p.busy, p.online, p.offline = false, false, false
	}
}

// notify sends the next callback.
func (d *service) notify(p *presence) {
	p.mu.Lock()
	path := d.cfg.NotifyOffline
	if p.online {
		path, p.online = d.cfg.NotifyOnline, false
	} else {
		p.offline = false
	}
	p.mu.Unlock()
	ended := d.host.Metrics.Asked()
	if err := d.backend.notify(context.Background(), path, p.fields); err != nil {
		ended(dialect.Failed)
		d.failures.Note(path, "error", err)
	} else {
		ended(dialect.Answered)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy = p.online || p.offline; p.busy {
		d.enqueue(p)
	}
}
