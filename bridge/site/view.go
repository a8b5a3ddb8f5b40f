package site

import (
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// View is what a client is told of a site, as JSON has it.
type View struct {
	Title      string              `json:"title"`
	Keywords   map[string]Keyword  `json:"keywords"`
	Conditions []ConditionView     `json:"conditions"`
	Pins       map[string][]string `json:"pins"`
	Dangerous  []Dangerous         `json:"dangerous"`
	Boards     []Board             `json:"boards"`
}

// ConditionView is what a client is told of a condition. Limits are told with their keywords.
type ConditionView struct {
	Name  string `json:"name"`
	When  string `json:"when"`
	Level string `json:"level"`
	Text  string `json:"text"`
}

// For returns what a client is told that hears a view. commands reports whether the client may send
// a consumer any command; nil is yes.
func (s *Site) For(v *filter.View, commands func(consumer string) bool) View {
	out := View{
		Title: s.cfg.Title, Keywords: map[string]Keyword{}, Conditions: []ConditionView{},
		Pins: map[string][]string{}, Dangerous: []Dangerous{}, Boards: []Board{},
	}
	hears := func(keyword string) bool { return HearsKeyword(v, keyword) }
	for name, k := range s.cfg.Keywords {
		if hears(name) {
			out.Keywords[name] = k
		}
	}
	for _, c := range s.conditions {
		if c.Name != "" && !slices.ContainsFunc(c.When.Refs(), func(keyword string) bool { return !hears(keyword) }) {
			out.Conditions = append(out.Conditions, ConditionView{c.Name, c.When.String(), c.Level.String(), c.Text})
		}
	}
	for _, actor := range slices.Sorted(maps.Keys(s.cfg.Pins)) {
		pins := slices.DeleteFunc(slices.Clone(s.cfg.Pins[actor]), func(keyword string) bool { return !hears(actor + "." + keyword) })
		if len(pins) > 0 {
			out.Pins[actor] = pins
		}
	}
	out.Dangerous = append(out.Dangerous, s.dangerousFor(v, commands)...)
	for i := range s.cfg.Boards.List {
		if b := s.cfg.Boards.List[i].visible(v); len(b.Items) > 0 {
			out.Boards = append(out.Boards, b)
		}
	}
	return out
}

// dangerousFor returns the rules for commands that the client may send, or whose actors it hears.
// A pattern names no actor, and is told to all.
func (s *Site) dangerousFor(v *filter.View, commands func(consumer string) bool) (rules []Dangerous) {
	for _, d := range s.cfg.Dangerous {
		if v != nil && d.Consumer != nil {
			d.Consumer = slices.DeleteFunc(slices.Clone(d.Consumer), func(consumer string) bool {
				return !strings.ContainsAny(consumer, "*?[") && !v.MayHear(consumer) && commands != nil && !commands(consumer)
			})
			if len(d.Consumer) == 0 {
				continue
			}
		}
		rules = append(rules, d)
	}
	return rules
}

// visible returns a board with the items that a client may see that hears a view.
func (b Board) visible(v *filter.View) Board {
	if v == nil {
		return b
	}
	hidden := func(keyword string) bool { return !HearsKeyword(v, keyword) }
	var items []Item
	for _, item := range b.Items {
		item.Plot = slices.DeleteFunc(slices.Clone(item.Plot), hidden)
		item.Keywords = slices.DeleteFunc(slices.Clone(item.Keywords), hidden)
		if item.Actor != "" && !v.MayHear(item.Actor) {
			continue
		}
		if len(item.Plot)+len(item.Keywords) > 0 || item.Log != "" || item.Actor != "" {
			items = append(items, item)
		}
	}
	b.Items = items
	return b
}

// HearsKeyword reports whether a client that hears a view would hear a broadcast of a keyword alone,
// as information. Where the name of the actor ends is not known; any place will do.
func HearsKeyword(v *filter.View, keyword string) bool {
	if v == nil {
		return true
	}
	for at, c := range keyword {
		if c != '.' {
			continue
		}
		name, _, _ := strings.Cut(keyword[at+1:], ".")
		if v.Match(&filter.Reply{Sender: keyword[:at], RoutingKey: "reply.broadcast", Code: "i", Keywords: []string{name}}) {
			return true
		}
	}
	return false
}
