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
	form            grantsForm // what they were made of
	canonical       string     // as JSON
	allowed         allowedText
}

// Limits bound what all connections of a principal may take together. Zero is no limit.
type Limits struct {
	CommandRate float64 `json:"command-rate,omitempty"` // commands per second; ten seconds' worth in a burst
	MessageRate float64 `json:"message-rate,omitempty"` // messages per second, commands included
	Connections int     `json:"connections,omitempty"`
}

// ParseGrants parses grants in JSON, the form that a role, the claim "clu" of a JWT and the
// answer of a callback share:
//
//	{"hear": [{}], "hide": [{"internal": true}], "own": true,
//	 "rooms": ["/live/**", "/users/${name}"], "publish": ["/live/x"],
//	 "command": [{"consumer": ["dome", "lvm.*"], "verb": ["status", "open"]}], "forbid": [{"verb": "shutdown"}],
//	 "clients": false, "admin": false, "limits": {"command-rate": 2, "message-rate": 10, "connections": 5}}
//
// What is absent is not granted, and a limit that is absent is none. hear and hide are filters of
// package filter; rooms and publish are patterns of rooms (roompattern.go); consumers and verbs
// are globs as in filters (command.go). ${name} stands for the principal's name. An unknown or
// doubled key, null and a value of another type are errors. An error is a *PathError.
func ParseGrants(raw json.RawMessage) (*Grants, error) {
	whole, err := document(raw)
	if err != nil {
		return nil, err
	}
	form, err := readGrants(whole)
	if err != nil {
		return nil, err
	}
	return form.compile()
}

// For returns the grants with ${name} replaced by a principal's name. It fails if the grants have
// ${name} and the name cannot stand there, since without the pattern something could be granted
// that a hide or forbid is to withhold. The error is a sentence for the client.
func (g *Grants) For(name string) (*Grants, error) {
	if !g.form.named() {
		return g, nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	return g.form.with(name).compile()
}

// Named reports whether the grants depend on the principal's name.
func (g *Grants) Named() bool { return g.form.named() }

// Key returns a text that is equal for equal grants.
func (g *Grants) Key() string { return g.canonical }

// JSON returns the grants in their canonical form, for a client and for clu-ws check. ParseGrants
// reads it as equal grants.
func (g *Grants) JSON() json.RawMessage { return json.RawMessage(g.canonical) }

// HearsNothing reports whether the grants let a principal hear no reply at all, not even to its own
// commands.
func (g *Grants) HearsNothing() bool { return len(g.form.Hear) == 0 && !g.Own }
