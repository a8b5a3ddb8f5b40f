package access

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// grantsForm holds grants as they are written. Encoded as JSON, it is their canonical form once the
// lists are sorted and distinct.
type grantsForm struct {
	Hear    []json.RawMessage `json:"hear,omitempty"`
	Hide    []json.RawMessage `json:"hide,omitempty"`
	Own     bool              `json:"own,omitempty"`
	Rooms   []string          `json:"rooms,omitempty"`
	Publish []string          `json:"publish,omitempty"`
	Command []ruleForm        `json:"command,omitempty"`
	Forbid  []ruleForm        `json:"forbid,omitempty"`
	Clients bool              `json:"clients,omitempty"`
	Admin   bool              `json:"admin,omitempty"`
	Limits  *Limits           `json:"limits,omitempty"`
}

// ruleForm is a rule about commands as it is written. A nil list is no constraint.
type ruleForm struct {
	Consumer []string `json:"consumer,omitempty"`
	Verb     []string `json:"verb,omitempty"`
}

var grantKeys = []string{"hear", "hide", "own", "rooms", "publish", "command", "forbid", "clients", "admin", "limits"}

// readGrants reads grants without compiling their patterns.
func readGrants(whole place) (f grantsForm, err error) {
	err = whole.object(grantKeys, func(key string, p place) (err error) {
		switch key {
		case "hear":
			f.Hear, err = p.filters()
		case "hide":
			f.Hide, err = p.filters()
		case "own":
			f.Own, err = p.boolean()
		case "rooms":
			f.Rooms, err = p.texts()
		case "publish":
			f.Publish, err = p.texts()
		case "command":
			f.Command, err = p.rules()
		case "forbid":
			f.Forbid, err = p.rules()
		case "clients":
			f.Clients, err = p.boolean()
		case "admin":
			f.Admin, err = p.boolean()
		case "limits":
			f.Limits, err = p.limits()
		}
		return err
	})
	return f, err
}

// filters reads a list of filters. Each must be an object without null, which a filter takes for
// everything.
func (p place) filters() (filters []json.RawMessage, err error) {
	err = p.list(func(element place) error {
		if element.kind() != '{' {
			_, err := filter.Parse([]byte("[]")) // its error shows the form
			return element.wrong(err)
		}
		if err := element.checkFilter(); err != nil {
			return err
		}
		filters = append(filters, element.raw)
		return nil
	})
	return filters, err
}

var ruleKeys = []string{"consumer", "verb"}

// rules reads a list of rules about commands.
func (p place) rules() (rules []ruleForm, err error) {
	err = p.list(func(element place) error {
		var r ruleForm
		err := element.object(ruleKeys, func(key string, p place) (err error) {
			if key == "verb" {
				r.Verb, err = p.texts()
			} else {
				r.Consumer, err = p.texts()
			}
			return err
		})
		rules = append(rules, r)
		return err
	})
	return rules, err
}

// maxConnections bounds the limit of connections, so that it fits into an int everywhere.
const maxConnections = 1_000_000

func (p place) limits() (*Limits, error) {
	var l Limits
	err := p.object([]string{"command-rate", "message-rate", "connections"}, func(key string, p place) error {
		n, err := p.positive()
		switch key {
		case "command-rate":
			l.CommandRate = n
		case "message-rate":
			l.MessageRate = n
		case "connections":
			if err == nil && (n != float64(int64(n)) || n > maxConnections) {
				err = p.errorf("%s is not a whole number up to %d", p.raw, maxConnections)
			}
			l.Connections = int(min(n, maxConnections))
		}
		return err
	})
	if l == (Limits{}) {
		return nil, err
	}
	return &l, err
}

// compile makes grants of their form.
func (f grantsForm) compile() (*Grants, error) {
	g := &Grants{Own: f.Own, Clients: f.Clients, Admin: f.Admin, form: f}
	if f.Limits != nil {
		g.Limits = *f.Limits
	}
	hear, err := compileFilters("hear", f.Hear)
	if err != nil {
		return nil, err
	}
	hide, err := compileFilters("hide", f.Hide)
	if err != nil {
		return nil, err
	}
	g.View = filter.NewView(hear, hide)
	if g.rooms, err = compileRooms("rooms", f.Rooms); err != nil {
		return nil, err
	}
	if g.publish, err = compileRooms("publish", f.Publish); err != nil {
		return nil, err
	}
	if g.command, err = compileRules("command", f.Command); err != nil {
		return nil, err
	}
	if g.forbid, err = compileRules("forbid", f.Forbid); err != nil {
		return nil, err
	}
	g.allowed = g.inWords()
	f.Hear, f.Hide = keys(hear), keys(hide)
	f.Rooms, f.Publish = sortedRooms(g.rooms), sortedRooms(g.publish)
	f.Command, f.Forbid = sortedRules(g.command), sortedRules(g.forbid)
	g.canonical, err = f.encode()
	return g, err
}

// encode returns the form as JSON. The texts of rules have no HTML escapes, for people to read.
func (f grantsForm) encode() (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		return "", &PathError{Err: err}
	}
	return strings.TrimSpace(b.String()), nil
}

// keys returns the distinct canonical forms of filters, sorted.
func keys(filters []*filter.Filter) []json.RawMessage {
	var all []string
	for _, f := range filters {
		all = append(all, f.Key())
	}
	slices.Sort(all)
	var raw []json.RawMessage
	for _, key := range slices.Compact(all) {
		raw = append(raw, json.RawMessage(key))
	}
	return raw
}
