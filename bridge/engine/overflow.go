package engine

import "sync"

// checkOutbound closes the connection with the most queued bytes if the connections
// together exceed Limits.MaxOutbound. One search at a time asks every shard for its
// largest debtor; the next one follows if the bound is still exceeded.
func (e *Engine) checkOutbound() {
	if e.outbound.Load() <= int64(e.cfg.MaxOutbound) || !e.shedding.CompareAndSwap(false, true) {
		return
	}
	r := &largestSearch{engine: e, awaited: len(e.shards)}
	for _, s := range e.shards {
		s.largest(r.report)
	}
}

// largestSearch is a search for the connection with the most queued bytes.
type largestSearch struct {
	engine *Engine

	mu      sync.Mutex // guards the following fields
	awaited int        // shards that have not answered
	debtor  Conn
	debt    int
}

// report takes a shard's largest debtor; the last report closes the largest of all.
func (r *largestSearch) report(c Conn, debt int) {
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
	over := func() { r.engine.shedding.Store(false) }
	if r.debt == 0 || r.engine.outbound.Load() <= int64(r.engine.cfg.MaxOutbound) {
		over()
		return
	}
	r.debtor.on.shed(r.debtor.slot, r.debtor.gen, over)
}
