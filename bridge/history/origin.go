package history

import "strings"

// Origin is what the values of a series have in common beside their keyword. With
// [Limits.Origins], each keyword has a series for each origin, so that a client is told of those
// values only whose replies it may hear.
type Origin struct {
	Actor, Code, RoutingKey, Commander string
	// Command reports whether the replies answered commands, whose ids are not kept.
	Command bool
	// Keywords are the names of all keywords of the replies.
	Keywords []string
	// Others reports whether the other fields are not known, because there were too many
	// different origins.
	Others bool
}

// Bounds of origins: of one actor, and of one keyword of it.
const (
	maxOrigins       = 256
	maxKeywordSeries = 8
	maxOriginLength  = 16 << 10
)

// originCost is the memory of an origin in addition to its texts, twice.
const originCost = 320

// originOf returns the origin of a reply.
func (a *actor) originOf(r *Reply, keywords Keywords) *Origin {
	s := a.store
	if !s.limits.Origins {
		return a.others
	}
	s.scratch = s.scratch[:0]
	for _, text := range [...]string{r.Code, r.RoutingKey, r.Commander} {
		s.scratch = append(append(s.scratch, text...), 0)
	}
	if r.CommandID != "" {
		s.scratch = append(s.scratch, 'c')
	}
	keywords(s.addName)
	if o := a.origins[string(s.scratch)]; o != nil {
		return o
	}
	if len(a.origins) >= maxOrigins || len(s.scratch) > maxOriginLength {
		return a.others
	}
	o := &Origin{Actor: a.name, Code: strings.Clone(r.Code), RoutingKey: strings.Clone(r.RoutingKey),
		Commander: strings.Clone(r.Commander), Command: r.CommandID != ""}
	for name := range keywords {
		o.Keywords = append(o.Keywords, string(name))
	}
	a.origins[string(s.scratch)] = o
	a.charge(originCost + 2*len(s.scratch) + 16*len(o.Keywords))
	return o
}
