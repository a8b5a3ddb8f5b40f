package access

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// CodeKicked is the reason of a client that an operator closed or keeps out.
const CodeKicked = "kicked"

const (
	// MaxBlock is the longest block. For longer, revoke the credential.
	MaxBlock = 24 * time.Hour
	// MaxBlocks bounds the names that are blocked at a time.
	MaxBlocks = 10_000
)

// BlockList holds the names that may not enter for a while.
type BlockList struct {
	now func() time.Time

	// mu guards the following field.
	mu    sync.Mutex
	until map[string]time.Time // by name
}

// NewBlockList returns an empty list that goes by a clock.
func NewBlockList(now func() time.Time) *BlockList {
	return &BlockList{now: now, until: map[string]time.Time{}}
}

// Add blocks a name. It returns false if there are too many.
func (l *BlockList) Add(name string, d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for n, until := range l.until {
		if !until.After(now) {
			delete(l.until, n)
		}
	}
	if len(l.until) >= MaxBlocks {
		return false
	}
	l.until[name] = now.Add(d)
	return true
}

// Refusal returns why a principal may not enter now, or nil.
func (l *BlockList) Refusal(p *Principal) *Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, ok := l.until[p.Name]
	left := until.Sub(l.now())
	if !ok || left <= 0 {
		return nil
	}
	return &Refusal{Status: http.StatusForbidden, Code: CodeKicked, RetryAfter: left,
		Reason: fmt.Sprintf("an operator has closed your connections; you may come back in %v", left.Round(time.Second))}
}
