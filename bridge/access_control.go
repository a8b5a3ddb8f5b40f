package bridge

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/deadline"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
	"github.com/clu-ws/clu-ws/internal/workers"
)

// accessControl identifies the clients of a bridge and follows what they may do while they are
// connected. It is nil without access control.
//
//	upgrade ──► access_identify.go ──► admit ──► Open ──► access_client.go: expiry, renewal, changed grants
//	                │                                   ▲       ▲        ▲
//	             401, 403, ...                      access_auth.go  access_kick.go  access_reload.go
type accessControl struct {
	*access.Authority
	// generation counts what may take a right away from a client that is being admitted:
	// reloads and kicks. A client that was identified under an earlier one is checked again.
	generation atomic.Uint64
	blocked    *access.BlockList
	deadlines  *deadline.Queue
	decisions  workers.Pool // on credentials in messages
	renewals   workers.Pool
	http       chan struct{} // a place for each request over HTTP that is being identified
	adminHTTP  chan struct{} // the same, for requests to the admin port
	now        func() time.Time
	unrenewed  *limitedlog.Log // credentials that could not be renewed
	changes    *limitedlog.Log // clients whose grants changed
	closes     *limitedlog.Log // clients that were closed
}

const (
	// maxDecisions bounds the credentials in messages that are decided at a time. Those that
	// wait are bounded, too.
	maxDecisions       = 64
	maxWaitingDecision = 4096
	// maxRenewals bounds the renewals at a time. There is at most one for each client.
	maxRenewals = 64
	// maxIdentifyHTTP bounds the requests over HTTP that are being identified, on each port.
	maxIdentifyHTTP = 64
)

// newAccessControl returns the access control of a configuration, or nil.
func newAccessControl(cfg *Config) *accessControl {
	if cfg.Access == nil {
		return nil
	}
	a := &accessControl{
		Authority: cfg.Access,
		decisions: workers.Pool{Max: maxDecisions, MaxWaiting: maxWaitingDecision},
		renewals:  workers.Pool{Max: maxRenewals, MaxWaiting: -1},
		http:      make(chan struct{}, maxIdentifyHTTP),
		adminHTTP: make(chan struct{}, maxIdentifyHTTP),
		now:       cfg.now,
		unrenewed: limitedlog.New(cfg.Logger, "a credential could not be renewed"),
		changes:   limitedlog.New(cfg.Logger, "the grants of a client changed"),
		closes:    limitedlog.New(cfg.Logger, "closed a client that has lost its access"),
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.blocked = access.NewBlockList(a.now)
	a.deadlines = deadline.New(a.now, cfg.after)
	return a
}

// current returns what a principal that was identified under a generation is now, or why it may
// not enter.
func (a *accessControl) current(p *access.Principal, generation uint64) (*access.Principal, *access.Refusal) {
	if no := a.blocked.Refusal(p); no != nil {
		return nil, no
	}
	if generation == a.generation.Load() {
		return p, nil
	}
	return a.Current(p)
}

// run keeps keys and secrets fresh until the context ends.
func (a *accessControl) run(ctx context.Context, running *sync.WaitGroup) {
	if a == nil {
		return
	}
	running.Go(func() {
		_ = a.Authority.Run(ctx) // it ends with the context
		a.deadlines.End()
		for _, log := range []*limitedlog.Log{a.unrenewed, a.changes, a.closes} {
			log.End()
		}
	})
}

// guarded calls a function. A panic in it is logged and goes no further.
func (b *Bridge) guarded(where string, do func()) {
	defer func() {
		if cause := recover(); cause != nil {
			b.log.Error("a panic", "in", where, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	do()
}
