package jararaca

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxRooms is how many rooms a client may join.
const maxRooms = 100

var errTooManyRooms = fmt.Errorf("the URL names too many rooms; a client may join %d", maxRooms)

// route is a checked [Route].
type route struct {
	parts []string
	join  []template
	split string
}

// template makes names of rooms.
type template struct {
	pieces []piece
	query  string // the parameter of the query, if there is one
}

// piece is a text, a parameter of the path, or the place for a value of the query.
type piece struct {
	text      string
	parameter bool
	value     bool
}

// newTemplate parses a name of a room such as user:{id}, in a route whose path has parameters.
func newTemplate(text string, known map[string]bool) (t template, err error) {
	if text == "" {
		return t, errors.New("is empty; write the name of a room")
	}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			t.pieces = append(t.pieces, piece{text: before})
		}
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		query, isQuery := strings.CutPrefix(name, "?")
		switch {
		case !closed:
			return t, fmt.Errorf("%q has no } for its {", text)
		case isQuery && (query == "" || t.query != ""):
			return t, fmt.Errorf("%q must name one parameter of the query, as in {?rooms}", text)
		case isQuery:
			t.query = query
			t.pieces = append(t.pieces, piece{value: true})
		case !known[name]:
			return t, fmt.Errorf("%q names {%s}, which the path does not have; a parameter of the query is {?%[2]s}", text, name)
		default:
			t.pieces = append(t.pieces, piece{text: name, parameter: true})
		}
		rest = behind
	}
	return t, nil
}

// match returns the parameters of a path, and whether the path is the route's.
func (r *route) match(path string) (parameters map[string]string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) != len(r.parts) {
		return nil, false
	}
	parameters = map[string]string{}
	for i, part := range r.parts {
		name, isParameter := parameter(part)
		switch {
		case isParameter && parts[i] != "":
			parameters[name] = parts[i]
		case part != parts[i]:
			return nil, false
		}
	}
	return parameters, true
}

// rooms returns the names of the rooms that a client joins, sorted and each once.
func (r *route) rooms(parameters map[string]string, query string) (names []string, err error) {
	given, _ := url.ParseQuery(query) // what is readable of it
	for _, t := range r.join {
		if t.query == "" {
			names = append(names, t.name(parameters, ""))
			continue
		}
		for _, value := range given[t.query] {
			for value := range r.values(value) {
				if value != "" {
					names = append(names, t.name(parameters, value))
				}
			}
		}
		if len(names) > maxRooms {
			return nil, errTooManyRooms
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// values iterates over the values in one of the query.
func (r *route) values(value string) func(yield func(string) bool) {
	if r.split == "" {
		return func(yield func(string) bool) { yield(value) }
	}
	return strings.SplitSeq(value, r.split)
}

// name returns the name of a room.
func (t *template) name(parameters map[string]string, value string) string {
	var b strings.Builder
	for _, p := range t.pieces {
		switch {
		case p.value:
			b.WriteString(value)
		case p.parameter:
			b.WriteString(parameters[p.text])
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}
