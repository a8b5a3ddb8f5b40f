package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// nameMark stands for the principal's name in the texts of grants.
const nameMark = "${name}"

// maxName is the most bytes of a name that is put into patterns.
const maxName = 128

// checkName reports why a name cannot replace ${name}. It may not have what separates the parts of
// a room's path, or what is a wildcard in one of the kinds of patterns, so that it always stands
// for itself and never widens a pattern.
func checkName(name string) error {
	const because = "your grants contain your name, and %s cannot stand in them: %s"
	switch {
	case name == "":
		return errors.New("your grants contain your name, but you have none: show a credential with a name")
	case name == "." || name == ".." || name == "me":
		return fmt.Errorf(because, quote.Text(name), "it means something else there")
	case len(name) > maxName:
		return fmt.Errorf(because, quote.Text(name), fmt.Sprintf("it is longer than %d bytes", maxName))
	case !utf8.ValidString(name):
		return fmt.Errorf(because, quote.Text(name), "it is not UTF-8")
	case strings.ContainsAny(name, `/\*?[]#{`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf(because, quote.Text(name), `it has one of / \ * ? [ ] # { or a control character`)
	}
	return nil
}

// checkMark reports why a text of grants cannot have ${name} where it has it. Inside a class of a
// glob, such as [${name}], a name like a-z would stand for other characters than its own.
func checkMark(text string) error {
	rest := strings.ReplaceAll(text, nameMark, "")
	switch {
	case strings.Contains(rest, "${"):
		return fmt.Errorf("%s has ${ of something other than %s, which is all that there is", quote.Text(text), nameMark)
	case rest != text && strings.Contains(rest, "["):
		return fmt.Errorf("%s has both %s and a [; write one value for each character of the class", quote.Text(text), nameMark)
	}
	return nil
}

// checkFilter checks what package filter does not know of or lets pass: doubled fields, null, and
// the places of ${name}.
func (p place) checkFilter() error {
	return p.each(func(_ string, field place) error {
		if field.kind() == 'n' {
			return field.errorf("null would select everything; write a value, or leave the field out")
		}
		texts, err := field.texts()
		for i := 0; err == nil && i < len(texts); i++ { // what is not of texts, or wrong, package filter explains
			if err := checkMark(texts[i]); err != nil {
				return field.wrong(err)
			}
		}
		return nil
	})
}

// compileFilters compiles filters. The commander "me" is one connection's, but grants are shared.
func compileFilters(key string, raw []json.RawMessage) (filters []*filter.Filter, err error) {
	for i, r := range raw {
		f, err := filter.Parse(r)
		if err == nil && f.Mine() {
			err = errors.New(`the commander "me" has no meaning in grants; write own: true to let one hear the replies to one's own commands`)
		}
		if err != nil {
			return nil, pathErrorf(fmt.Sprintf("%s[%d]", key, i), "%w", err)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// named reports whether ${name} stands somewhere in the form.
func (f grantsForm) named() bool {
	mark := func(texts []string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, nameMark) })
	}
	rule := func(r ruleForm) bool { return mark(r.Consumer) || mark(r.Verb) }
	return mark(f.Rooms) || mark(f.Publish) || slices.ContainsFunc(f.Command, rule) || slices.ContainsFunc(f.Forbid, rule) ||
		slices.ContainsFunc(f.Hear, filterNamed) || slices.ContainsFunc(f.Hide, filterNamed)
}

// filterNamed reports whether a filter has ${name}. It reads the canonical form, in which no
// character of ${name} is escaped.
func filterNamed(raw json.RawMessage) bool {
	f, err := filter.Parse(raw)
	return err == nil && strings.Contains(f.Key(), nameMark)
}

// with returns the form with ${name} replaced by a checked name. The form itself is unchanged.
func (f grantsForm) with(name string) grantsForm {
	all := func(texts []string) []string {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = strings.ReplaceAll(texts[i], nameMark, name)
		}
		return texts
	}
	rules := func(rules []ruleForm) []ruleForm {
		rules = slices.Clone(rules)
		for i, r := range rules {
			rules[i] = ruleForm{all(r.Consumer), all(r.Verb)}
		}
		return rules
	}
	escaped, _ := json.Marshal(name) // a string has always a form in JSON
	inJSON := string(escaped[1 : len(escaped)-1])
	filters := func(raw []json.RawMessage) []json.RawMessage {
		raw = slices.Clone(raw)
		for i, r := range raw {
			if parsed, err := filter.Parse(r); err == nil {
				raw[i] = json.RawMessage(strings.ReplaceAll(parsed.Key(), nameMark, inJSON))
			}
		}
		return raw
	}
	f.Hear, f.Hide = filters(f.Hear), filters(f.Hide)
	f.Rooms, f.Publish = all(f.Rooms), all(f.Publish)
	f.Command, f.Forbid = rules(f.Command), rules(f.Forbid)
	return f
}
