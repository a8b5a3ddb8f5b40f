package engine

import "sync"

// relieve closes a connection if more waits for all of them than may: the one for
// which most waits, whoever it was that passed the bound. One round at a time asks
// every shard for its largest debtor; as long as too much waits, another follows.
func (e *Engine) relieve() {
	if e.outbound.Load() <= int64(e.cfg.MaxOutbound) || !e.relieving.CompareAndSwap(false, true) {
		return
	}
	r := &relief{engine: e, awaited: len(e.shards)}
	for _, s := range e.shards {
		s.worst(r.report)
	}
}

// relief is a round of the search for the largest debtor.
type relief struct {
	engine *Engine

	mu      sync.Mutex // guards the following fields
	awaited int        // shards that have not answered
	debtor  Conn
	debt    int
}

// report takes a shard's largest debtor; the last one has the largest of all closed.
func (r *relief) report(c Conn, debt int) {
	r.mu.Lock()
	if debt > r.debt {
		r.debtor, r.debt = c, debt
	}
	r.awaited--
	last := r.awaited == 0
	r.mu.Unlock()
	if !last {
		return
	}
	over := func() { r.engine.relieving.Store(false) }
	if r.debt == 0 || r.engine.outbound.Load() <= int64(r.engine.cfg.MaxOutbound) {
		over()
		return
	}
	r.debtor.on.shed(r.debtor.slot, r.debtor.gen, over)
}
