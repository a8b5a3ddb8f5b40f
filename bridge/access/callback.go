package access

import (
	"context"
)

// callback asks a web application who a client is and what it may do.
type callback struct {
	asks map[string]bool // subscribe, command
}

// newCallback returns the callback that a configuration describes. Its errors are *PathError, joined.
func newCallback(cfg *CallbackConfig, roles map[string]*Grants, o Options) (*callback, error) {
	return &callback{}, nil
}

// carries reports whether a client shows a credential that style proxy forwards.
func (c *callback) carries(ap *Approach) bool { return false }

// identify asks who a client is. ticket is what it shows, in style post. It blocks.
func (c *callback) identify(ctx context.Context, ap *Approach, ticket string) Verdict { return Verdict{} }

// run delivers events until the context ends.
func (c *callback) run(ctx context.Context) { <-ctx.Done() }

func (c *callback) ask(ctx context.Context, p *Principal, r Ask) ([]byte, *Refusal) { return nil, nil }

func (c *callback) renew(ctx context.Context, p *Principal) (*Principal, *Refusal) { return p, nil }

func (c *callback) event(p *Principal, e Event) {}
