package hightemplar

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// wildcard is the value that allows all values of its key.
const wildcard = `"*"`

// room is a room, which is a JSON object.
type room struct {
	name   string // as a part of its path
	keys   string // all of them, sorted
	values []string
}

// errNoRoom is that a value is no room.
var errNoRoom = errors.New("a room is not a JSON object with texts of Unicode")

// parseRoom reads a room. Its values are written so that those that Python calls equal are equal: 1,
// 1.0 and true are, and 1 and "1" are not.
func parseRoom(text []byte) (r room, err error) {
	if r.name, err = rooms.DictName(text); err != nil {
		return r, errNoRoom
	}
	read := json.NewDecoder(bytes.NewReader(text))
	read.UseNumber()
	var dict map[string]any
	if err := read.Decode(&dict); err != nil {
		return r, errNoRoom
	}
	var keys strings.Builder
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		keys.WriteString(strconv.Quote(key))
		r.values = append(r.values, equalText(dict[key]))
	}
	r.keys = keys.String()
	return r, nil
}

// equalText returns a value as a text that values have that are equal in Python.
func equalText(value any) string { return string(appendEqual(nil, value)) }

// appendEqual appends it. No part is copied again for each level of a nested value.
func appendEqual(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return strconv.AppendQuote(b, v)
	case json.Number:
		return append(b, equalNumber(string(v))...)
	case bool:
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	case map[string]any:
		b = append(b, '{')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = append(strconv.AppendQuote(b, key), ':')
			b = append(appendEqual(b, v[key]), ',')
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for _, element := range v {
			b = append(appendEqual(b, element), ',')
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// equalNumber returns a number: whole ones in decimal, others with an exponent.
func equalNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			return "0"
		}
		return text
	}
	f, _ := strconv.ParseFloat(text, 64) // what is too large is infinite
	switch {
	case f == 0:
		return "0"
	case !math.IsInf(f, 0) && f == math.Trunc(f):
		whole, _ := big.NewFloat(f).Int(nil)
		return whole.String()
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

// grants are the rooms that a client may subscribe to. It does not change, and is found in as many
// steps as there are sets of keys with wildcards, not rooms.
type grants struct {
	shapes map[string][]*shape // by the rooms' keys
}

// shape is the rooms with the same keys and the same wildcards.
type shape struct {
	wild   []bool              // by key
	values map[string]struct{} // of the other keys
}

// newGrants returns the grants of what a backend allows, and those rooms, each once.
func newGrants(allowed []json.RawMessage) (g *grants, distinct []json.RawMessage, err error) {
	g = &grants{shapes: map[string][]*shape{}}
	seen := map[string]bool{}
	for _, text := range allowed {
		r, err := parseRoom(text)
		if err != nil {
			return nil, nil, err
		}
		if seen[r.name] {
			continue
		}
		seen[r.name] = true
		distinct = append(distinct, text)
		g.add(r)
	}
	return g, distinct, nil
}

func (g *grants) add(r room) {
	wild := make([]bool, len(r.values))
	for i, v := range r.values {
		wild[i] = v == wildcard
	}
	same := func(s *shape) bool { return slices.Equal(s.wild, wild) }
	i := slices.IndexFunc(g.shapes[r.keys], same)
	if i < 0 {
		i = len(g.shapes[r.keys])
		g.shapes[r.keys] = append(g.shapes[r.keys], &shape{wild, map[string]struct{}{}})
	}
	s := g.shapes[r.keys][i]
	s.values[s.of(r)] = struct{}{}
}

// allow reports whether a client may subscribe to a room.
func (g *grants) allow(r room) bool {
	return slices.ContainsFunc(g.shapes[r.keys], func(s *shape) bool {
		_, ok := s.values[s.of(r)]
		return ok
	})
}

// of returns the values of a room that are no wildcards in the shape.
func (s *shape) of(r room) string {
	var b strings.Builder
	for i, v := range r.values {
		if !s.wild[i] {
			b.WriteString(strconv.Itoa(len(v)))
			b.WriteByte(':')
			b.WriteString(v)
		}
	}
	return b.String()
}
