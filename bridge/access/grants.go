package access

import (
	"encoding/json"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Grants are what a principal may do. They are made by [ParseGrants] and do not change.
type Grants struct {
	// View selects the replies that it hears; nil is every reply.
	View *filter.View
	// Own lets it hear the replies to its own commands, unless they are hidden.
	Own bool
	// Clients lets it list the connected clients.
	Clients bool
	// Admin lets it close connections, read profiles, and hear the broker's address in notices.
	Admin bool
	// Limits bound what it may take. They are the principal's, not each connection's.
	Limits Limits

	rooms, publish  []roomPattern
	command, forbid []commandRule
	key             string
}

// Limits bound what all connections of a principal may take together. Zero is no limit.
type Limits struct {
	CommandRate float64 `json:"command-rate"` // commands per second; ten seconds' worth in a burst
	MessageRate float64 `json:"message-rate"` // messages per second, commands included
	Connections int     `json:"connections"`
}

// ParseGrants parses grants in JSON, the form that a role, the claim "clu" of a JWT and the
// answer of a callback share. An error is a *PathError.
func ParseGrants(raw json.RawMessage) (*Grants, error) { return nil, nil }

// For returns the grants with ${name} replaced by a principal's name.
func (g *Grants) For(name string) (*Grants, error) { return g, nil }

// Key returns a text that is equal for equal grants.
func (g *Grants) Key() string { return g.key }

// JSON returns the grants in their canonical form, for a client and for clu-ws check.
func (g *Grants) JSON() json.RawMessage { return nil }

// PathError is an error at a place in a configuration, such as roles.viewer.hear[0].
type PathError struct {
	Path string
	Err  error
}

func (e *PathError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *PathError) Unwrap() error { return e.Err }

type roomPattern struct{}
type commandRule struct{}
