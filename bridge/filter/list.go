package filter

import (
	"maps"
	"slices"
)

// list holds the values of one field. A nil list matches everything.
type list struct {
	names    map[string]struct{} // matched literally
	patterns []pattern
	slow     int // how many of the patterns look at each character or word separately
}

// pattern is a value that may match more than one text.
type pattern interface{ Match(text string) bool }

// value is a parsed value of a field.
type value struct {
	spelling string // canonical: the same for all ways to write it
	name     string // the text that it matches, if pattern is nil
	pattern  pattern
	all      bool // it matches everything
}

// readList parses the values of a field. The spellings are sorted and distinct. If one value matches
// everything, the list is nil and has no spellings.
func readList(values []string, read func(string) (value, error)) (*list, []string, error) {
	parsed := make(map[string]value, len(values))
	all := false
	for _, text := range values {
		v, err := read(text)
		if err != nil {
			return nil, nil, err
		}
		parsed[v.spelling] = v
		all = all || v.all
	}
	if all {
		return nil, nil, nil
	}
	l := &list{names: make(map[string]struct{})}
	spellings := slices.Sorted(maps.Keys(parsed))
	for _, spelling := range spellings {
		if v := parsed[spelling]; v.pattern != nil {
			l.patterns = append(l.patterns, v.pattern)
			if g, ok := v.pattern.(*glob); !ok || g.slow() { // a topic is matched word by word
				l.slow++
			}
		} else {
			l.names[v.name] = struct{}{}
		}
	}
	return l, spellings, nil
}

func (l *list) has(text string) bool {
	if l == nil {
		return true
	}
	if _, ok := l.names[text]; ok {
		return true
	}
	for _, p := range l.patterns {
		if p.Match(text) {
			return true
		}
	}
	return false
}
