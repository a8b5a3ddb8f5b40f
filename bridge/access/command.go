package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// commandRule selects commands by consumer and verb, which are globs as in filters, matched as CLU
// compares names: whole, and with their case. A nil list is no constraint.
type commandRule struct {
	consumer, verb *filter.Names
}

// compileRules compiles rules about commands.
func compileRules(key string, forms []ruleForm) (rules []commandRule, err error) {
	for i, form := range forms {
		var r commandRule
		path := fmt.Sprintf("%s[%d]", key, i)
		if r.consumer, err = compileNames(form.Consumer); err != nil {
			return nil, pathErrorf(path+".consumer", "%w", err)
		}
		for _, v := range form.Verb {
			if err := checkVerb(v); err != nil {
				return nil, pathErrorf(path+".verb", "%w", err)
			}
		}
		if r.verb, err = compileNames(form.Verb); err != nil {
			return nil, pathErrorf(path+".verb", "%w", err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// compileNames compiles globs. A nil list is no constraint, an empty one an error.
func compileNames(globs []string) (*filter.Names, error) {
	if globs == nil {
		return nil, nil
	}
	for _, g := range globs {
		if err := checkMark(g); err != nil {
			return nil, err
		}
	}
	return filter.ParseNames(globs)
}

// checkVerb refuses a pattern that no verb can match: a rule to forbid it would be without effect.
func checkVerb(glob string) error {
	wrong := func(r rune) bool { return !isVerbChar(r) && !strings.ContainsRune("*?[]^", r) }
	if glob == "" || glob[0] == '-' || strings.ContainsFunc(glob, wrong) {
		return fmt.Errorf("no verb matches %s: it is the first word of a command, of letters A to Z, digits, _ . and -", quote.Text(glob))
	}
	return nil
}

func isVerbChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-'
}

// Verb returns the verb of a command string: its leading run of A to Z, a to z, 0 to 9, _ . and -,
// if that ends at a blank or the end of the string. CLU splits a command string as a shell does,
// so that "shut"down is shutdown to it: the verb of any other string is not known. Neither is it
// if the run begins with - : CLU takes -- for the end of options, and the next word for the verb.
func Verb(commandString string) (verb string, ok bool) {
	n := strings.IndexFunc(commandString, func(r rune) bool { return !isVerbChar(r) })
	if n < 0 {
		n = len(commandString)
	}
	verb = commandString[:n]
	if verb == "" || verb[0] == '-' || n < len(commandString) && !strings.ContainsRune(" \t\r\n", rune(commandString[n])) {
		return "", false
	}
	return verb, true
}

// allows reports whether the rule selects a command to let it pass. A command whose verb is not
// known passes only rules without verb.
func (r *commandRule) allows(consumer, verb string, known bool) bool {
	return (r.consumer == nil || r.consumer.Match(consumer)) && (r.verb == nil || known && r.verb.Match(verb))
}

// forbids reports whether the rule selects a command to stop it. The queue of an actor is bound to
// command.ACTOR.#, so that a command to the consumer dome.x reaches dome: each dotted prefix of the
// consumer is tested. A command whose verb is not known may have the forbidden one.
func (r *commandRule) forbids(consumer, verb string, known bool) bool {
	if r.verb != nil && known && !r.verb.Match(verb) {
		return false
	}
	if r.consumer == nil || r.consumer.Match(consumer) {
		return true
	}
	for i := range len(consumer) {
		if consumer[i] == '.' && r.consumer.Match(consumer[:i]) {
			return true
		}
	}
	return false
}

// form returns the rule in its canonical form.
func (r *commandRule) form() (f ruleForm) {
	if r.consumer != nil {
		f.Consumer = r.consumer.Values()
	}
	if r.verb != nil {
		f.Verb = r.verb.Values()
	}
	return f
}

// sortedRules returns the distinct rules in their canonical form, sorted.
func sortedRules(rules []commandRule) (forms []ruleForm) {
	text := func(f ruleForm) string {
		raw, _ := json.Marshal(f) // texts always have a form in JSON
		return string(raw)
	}
	for i := range rules {
		forms = append(forms, rules[i].form())
	}
	slices.SortFunc(forms, func(a, b ruleForm) int { return cmp.Compare(text(a), text(b)) })
	return slices.CompactFunc(forms, func(a, b ruleForm) bool { return text(a) == text(b) })
}
