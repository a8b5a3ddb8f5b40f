package access

import (
	"context"
	"time"
)

// renewRetry is when a principal is asked about again that could not be.
const renewRetry = 30 * time.Second

// renew asks about a principal that is in. It blocks. In style post the question has the op renew
// and the name instead of a ticket; in style proxy it is the same as at the beginning.
func (c *callback) renew(ctx context.Context, p *Principal) (*Principal, *Refusal) {
	r := p.renewal
	if r == nil { // it was not the callback that let it in
		return p, nil
	}
	q := c.proxied(r)
	switch {
	case c.post:
		q = c.posted(r, asked{Op: "renew", Name: &p.Name})
	case len(r.header) == 0: // it came when the style was post
		return nil, refuse(401, "refused", "this bridge now asks about you in another way; connect again").Refusal
	}
	result := c.decide(ctx, q)
	switch result.outcome {
	case unknown:
		return c.stay(p)
	case no:
		return nil, refuse(401, "refused", result.reason("the application that decides who may be here no longer knows you; sign in again")).Refusal
	}
	if result.answer.name == "" && c.post {
		result.answer.name = p.Name // it was asked about that name
	}
	next, refusal := c.principal(result.answer, r)
	switch {
	case refusal != nil && refusal.Status == 503:
		return c.stay(p)
	case refusal != nil:
		return nil, refusal
	case next.Name != p.Name:
		return nil, refuse(401, "name", "the application now gives you another name; connect again").Refusal
	}
	if next.Data == nil {
		next.Data = p.Data
	}
	return next, nil
}

// stay returns a principal that could not be asked about: it stays until the time of grace has
// passed since it should have been, even if its credential expires meanwhile. Then it is refused.
func (c *callback) stay(p *Principal) (*Principal, *Refusal) {
	now := c.now()
	next := *p
	if next.unknownSince.IsZero() {
		next.unknownSince = now
	}
	end := next.unknownSince.Add(c.grace)
	if !now.Before(end) {
		return nil, unavailable("the application that decides who may be here has not answered for too long; connect again", 0).Refusal
	}
	if !next.Expires.IsZero() && next.Expires.Before(end) {
		next.Expires = end
	}
	if p.RenewAfter.IsZero() { // the application has not said that it can be asked about a name
		return &next, nil
	}
	next.RenewAfter = now.Add(sooner(min(renewRetry, max(c.grace/10, time.Millisecond))))
	if next.RenewAfter.After(end) {
		next.RenewAfter = end
	}
	return &next, nil
}
