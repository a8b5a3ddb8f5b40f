package conformance

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// Variables are what the "$names" of a case stand for.
type Variables map[string]any

// Match compares what came with what is expected, and returns the first difference, "" if there is none. An object may
// have more members than are expected.
func (vars Variables) Match(want, got any) string { return vars.match("", want, got) }

func (vars Variables) match(path string, want, got any) string {
	if name, ok := want.(string); ok && len(name) > 1 && name[0] == '$' {
		if known, is := vars[name]; is {
			want = known
		} else {
			vars[name] = got
			return ""
		}
	}
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return differs(path, want, got)
		}
		for name, value := range want {
			member, is := have[name]
			if !is {
				return fmt.Sprintf("%s is missing", strings.TrimPrefix(path+"."+name, "."))
			}
			if diff := vars.match(path+"."+name, value, member); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return differs(path, want, got)
		}
		for i, value := range want {
			if diff := vars.match(fmt.Sprintf("%s[%d]", path, i), value, have[i]); diff != "" {
				return diff
			}
		}
		return ""
	case json.Number:
		if have, ok := got.(json.Number); ok && sameNumber(want, have) {
			return ""
		}
		return differs(path, want, got)
	}
	if want != got {
		return differs(path, want, got)
	}
	return ""
}

// Fill replaces the variables in a message by what they stand for.
func (vars Variables) Fill(v any) any {
	switch v := v.(type) {
	case string:
		if known, ok := vars[v]; ok {
			return known
		}
	case map[string]any:
		filled := Message{}
		for name, value := range v {
			filled[name] = vars.Fill(value)
		}
		return filled
	case []any:
		filled := make([]any, len(v))
		for i, value := range v {
			filled[i] = vars.Fill(value)
		}
		return filled
	}
	return v
}

// sameNumber reports whether two numbers have the same value, to the last digit.
func sameNumber(a, b json.Number) bool {
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

func differs(path string, want, got any) string {
	if path = strings.TrimPrefix(path, "."); path == "" {
		path = "it"
	}
	return fmt.Sprintf("%s is %s, want %s", path, format(got), format(want))
}

// number returns an integer of a message.
func number(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// Number returns an integer as a parsed message has it.
func Number(n int) json.Number { return json.Number(fmt.Sprint(n)) }

func list(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// asSent makes the two forms of a filter's field, a value and a list of one, the same.
func asSent(m Message) Message {
	fields, ok := m["filter"].(map[string]any)
	if !ok {
		return m
	}
	same := Message{}
	for name, value := range fields {
		if _, is := value.([]any); !is {
			value = []any{value}
		}
		same[name] = value
	}
	m = without(m)
	m["filter"] = same
	return m
}
