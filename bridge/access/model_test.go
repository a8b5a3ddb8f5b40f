package access

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// modelFirstWord returns the first word of a text as Python's shlex.split reads it, by the letter of
// its documentation: quotes and backslashes may stand anywhere in a word.
func modelFirstWord(text string) (word string) {
	text = strings.TrimLeft(text, " \t\r\n")
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			return word
		case c == '\\':
			if i++; i < len(text) {
				word += text[i : i+1]
			}
		case c == '"' || c == '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if c == '"' && text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\') {
					i++
				}
				word += text[i : i+1]
			}
		default:
			word += text[i : i+1]
		}
	}
	return word
}

// modelRoom decides by a regular expression whether a pattern selects a clean path.
func modelRoom(pattern, room string) bool {
	var expr strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		switch {
		case part == "" && pattern == "/":
		case part == "**":
			expr.WriteString("(?:/[^/]+)*")
		case part == "*":
			expr.WriteString("/[^/]+")
		case strings.HasSuffix(part, "=*"):
			expr.WriteString("/" + regexp.QuoteMeta(strings.TrimSuffix(part, "*")) + "[^/]*")
		default:
			expr.WriteString("/" + regexp.QuoteMeta(part))
		}
	}
	if room == "/" {
		room = ""
	}
	return regexp.MustCompile("(?s)^(?:" + expr.String() + ")$").MatchString(room)
}

// modelRule is a rule of the model: exact names, where "*" is any.
type modelRule struct{ consumer, verb []string }

func (r modelRule) json() string {
	fields := []string{}
	for key, values := range map[string][]string{"consumer": r.consumer, "verb": r.verb} {
		if values != nil {
			raw, _ := json.Marshal(values)
			fields = append(fields, fmt.Sprintf("%q: %s", key, raw))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// reaches returns the actors that get a command to a consumer: those whose binding command.ACTOR.#
// matches its routing key.
func reaches(consumer string) (actors []string) {
	words := strings.Split(consumer, ".")
	for i := range words {
		actors = append(actors, strings.Join(words[:i+1], "."))
	}
	return actors
}

func has(values []string, text string) bool {
	return values == nil || slices.Contains(values, text) || slices.Contains(values, "*")
}

// modelCommand decides about a command by what CLU does with it: it goes to the actors that it
// reaches, which run the first word.
func modelCommand(command, forbid []modelRule, consumer, text string) bool {
	plain := regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*(?:[ \t\r\n]|$)`).MatchString(text)
	verb := modelFirstWord(text)
	for _, r := range forbid {
		for _, actor := range reaches(consumer) {
			if has(r.consumer, actor) && (has(r.verb, verb) || !plain) {
				return false
			}
		}
	}
	return slices.ContainsFunc(command, func(r modelRule) bool {
		return has(r.consumer, consumer) && (r.verb == nil || plain && has(r.verb, verb))
	})
}

func TestDecisionsAgreeWithAModel(t *testing.T) {
	names := []string{"dome", "dome.x", "mirror", "lvm.sci", "lvm", "*"}
	verbs := []string{"status", "open", "shutdown", "*"}
	asked := []string{"dome", "dome.x", "dome.", "dome..", "dome.#", "dome.x.y", "mirror", "lvm.sci.pwi", "lvm", "", "."}
	texts := []string{"status", "open now", "shutdown", `shut"down"`, " open", "-- shutdown", "", "op\\en", "open\tx", "opened", "'status' x", "status\x00"}
	eachSeed(t, 200, func(t *testing.T, r *rand.Rand) {
		some := func(all []string) []string {
			if r.IntN(3) == 0 {
				return nil
			}
			picked := []string{}
			for range 1 + r.IntN(2) {
				picked = append(picked, all[r.IntN(len(all))])
			}
			return picked
		}
		rules := func(most int) (all []modelRule, text string) {
			var parts []string
			for range r.IntN(most + 1) {
				rule := modelRule{some(names), some(verbs)}
				all, parts = append(all, rule), append(parts, rule.json())
			}
			return all, "[" + strings.Join(parts, ", ") + "]"
		}
		command, commandText := rules(3)
		forbid, forbidText := rules(2)
		p := &Principal{Grants: parse(t, fmt.Sprintf(`{"command": %s, "forbid": %s}`, commandText, forbidText))}
		for _, consumer := range asked {
			for _, text := range texts {
				got := p.Decide(Request{Consumer: consumer, CommandString: text})
				if want := modelCommand(command, forbid, consumer, text); got.Allowed != want {
					t.Errorf("%s: %q to %q: %+v, want %t", p.Grants.JSON(), text, consumer, got, want)
				}
			}
		}
	})
}

// A view of grants selects what its filters say, whatever their order and number.
func TestViewsOfGrantsAgreeWithTheirFilters(t *testing.T) {
	senders := []string{"dome", "mount", "lvm.sci"}
	eachSeed(t, 50, func(t *testing.T, r *rand.Rand) {
		list := func() (chosen []string, text string) {
			var parts []string
			for range r.IntN(3) {
				s := senders[r.IntN(len(senders))]
				chosen, parts = append(chosen, s), append(parts, fmt.Sprintf(`{"sender": %q}`, s))
			}
			return chosen, "[" + strings.Join(parts, ", ") + "]"
		}
		hear, hearText := list()
		hide, hideText := list()
		g := parse(t, fmt.Sprintf(`{"hear": %s, "hide": %s}`, hearText, hideText))
		for _, s := range senders {
			want := slices.Contains(hear, s) && !slices.Contains(hide, s)
			if got := g.View.Match(&filter.Reply{Sender: s}); got != want {
				t.Errorf("%s: %s is heard: %t", g.JSON(), s, got)
			}
		}
	})
}
