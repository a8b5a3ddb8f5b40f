package socketshark

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// object is a JSON object. Values are as they were written.
type object []field

type field struct {
	name  string
	value json.RawMessage
}

// parseObject returns the object that a text is. Its values alias the text.
func parseObject(text []byte) (o object, ok bool) {
	if ok, _ := jsonscan.Valid(text); !ok || !utf8.Valid(text) || firstByte(text) != '{' {
		return nil, false
	}
	return membersOf(text), true
}

// membersOf returns the members of valid JSON; none if it is no object.
func membersOf(text []byte) (o object) {
	m := jsonscan.MembersOf(text)
	for {
		name, value, ok := m.Next()
		if !ok {
			return o
		}
		o = append(o, field{string(name), value})
	}
}

func firstByte(text []byte) byte {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// get returns a value, which of several is the last; nil if there is none.
func (o object) get(name string) json.RawMessage {
	for _, f := range slices.Backward(o) {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// pick returns the fields of some names that there are. They alias no text.
func (o object) pick(names []string) (picked object) {
	for _, n := range names {
		if v := o.get(n); v != nil {
			picked.set(n, slices.Clone(v))
		}
	}
	return picked
}

// set sets a field. It is for objects of few fields.
func (o *object) set(name string, value json.RawMessage) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, field{name, value})
}

// update sets all fields of another object.
func (o *object) update(other object) {
	for _, f := range other {
		o.set(f.name, f.value)
	}
}

// encode returns the object as JSON.
func (o object) encode() []byte {
	size := 2
	for _, f := range o {
		size += len(f.name) + len(f.value) + 4
	}
	b := append(make([]byte, 0, size), '{')
	for i, f := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quoted(f.name)...)
		b = append(b, ':')
		b = append(b, f.value...)
	}
	return append(b, '}')
}

// quoted returns a text as JSON.
func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string can be encoded
	return b
}

// textOf returns the string that a value is.
func textOf(v json.RawMessage) (s string, ok bool) {
	if len(v) == 0 || v[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(v, &s) == nil
}

// isFalse reports whether a value is what Python takes for false.
func isFalse(v json.RawMessage) bool {
	switch {
	case len(v) == 0:
		return true
	case v[0] == '{' || v[0] == '[':
		return len(strings.Trim(string(v), "{}[] \t\r\n")) == 0 && !strings.ContainsAny(string(v[1:]), "{[")
	}
	switch string(v) {
	case "null", "false", `""`:
		return true
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return err == nil && f == 0
}

// canonical returns a text that is the same for equal values as Python compares them: numbers by their
// value, true as 1, objects without regard to their order, and what is absent as null.
func canonical(v json.RawMessage) string { return canonicalAt(v, 0) }

// maxDepth is how deep values are compared by what they mean; what is deeper is compared by its text.
const maxDepth = 16

func canonicalAt(v json.RawMessage, depth int) string {
	switch {
	case depth > maxDepth:
		return string(v)
	case len(v) == 0:
		return "null"
	case v[0] == '"':
		s, _ := textOf(v)
		return string(quoted(s))
	case v[0] == '[':
		var b strings.Builder
		b.WriteByte('[')
		for e := range jsonscan.Elements(v) {
			b.WriteString(canonicalAt(e, depth+1))
			b.WriteByte(',')
		}
		b.WriteByte(']')
		return b.String()
	case v[0] == '{':
		return canonicalObject(membersOf(v), depth+1)
	case string(v) == "true":
		return "1"
	case string(v) == "false":
		return "0"
	}
	return canonicalNumber(string(v))
}

func canonicalObject(o object, depth int) string {
	last := map[string]string{}
	for _, f := range o {
		last[f.name] = canonicalAt(f.value, depth)
	}
	lines := make([]string, 0, len(last))
	for name, value := range last {
		lines = append(lines, string(quoted(name))+":"+value)
	}
	slices.Sort(lines)
	return "{" + strings.Join(lines, ",") + "}"
}

// canonicalNumber returns a number so that equal ones are the same text, which is not much longer than a
// client may have written it. Other texts are left.
func canonicalNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text // Python's integers are exact
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return text
	case f == math.Trunc(f) && math.Abs(f) < 1e25:
		whole, _ := big.NewFloat(f).Int(nil)
		return whole.String()
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
