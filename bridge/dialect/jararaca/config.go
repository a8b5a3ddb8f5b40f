package jararaca

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// Config is the section jararaca of a dialect in the configuration file. The keys are given by the tags.
type Config struct {
	// Routes are the paths that clients may connect to.
	Routes []Route `json:"routes"`
}

// Route is a path, and the rooms that its clients join.
type Route struct {
	// Path may have parameters, as in /chat/{room}.
	Path string `json:"path"`
	// Join are the names of rooms. {room} stands for a parameter of the path, and {?rooms} for each
	// value of a parameter of the query.
	Join []string `json:"join"`
	// Split separates names in a value of the query. "" takes a value as one name.
	Split string `json:"split"`
}

// New returns the dialect that a configuration describes. Its errors are [*dialect.PathError], joined.
func New(cfg *Config, at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
	s := &service{place: at, groups: newGroups(h.NewLog)}
	var wrong []error
	if len(cfg.Routes) == 0 {
		wrong = append(wrong, &dialect.PathError{Path: "routes", Err: errors.New("are missing; write a path, and the rooms that its clients join")})
	}
	for i, of := range cfg.Routes {
		r, err := newRoute(of, at.Path)
		if err != nil {
			wrong = append(wrong, &dialect.PathError{Path: fmt.Sprintf("routes[%d].%s", i, err.Path), Err: err.Err})
			continue
		}
		s.routes = append(s.routes, r)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return s, nil
}

// newRoute checks a route of a dialect.
func newRoute(of Route, place string) (*route, *dialect.PathError) {
	if below := strings.TrimSuffix(place, "/"); of.Path != place && !strings.HasPrefix(of.Path, below+"/") {
		return nil, &dialect.PathError{Path: "path", Err: fmt.Errorf("%q is not at or below the dialect's path %s", of.Path, place)}
	}
	r := &route{split: of.Split, parts: strings.Split(strings.TrimPrefix(of.Path, "/"), "/")}
	known := map[string]bool{}
	for _, part := range r.parts {
		name, ok := parameter(part)
		switch {
		case !ok && strings.ContainsAny(part, "{}"):
			return nil, &dialect.PathError{Path: "path", Err: fmt.Errorf("the part %q is neither a text nor a parameter such as {room}", part)}
		case ok && known[name]:
			return nil, &dialect.PathError{Path: "path", Err: fmt.Errorf("has two parameters {%s}", name)}
		case ok:
			known[name] = true
		}
	}
	for i, text := range of.Join {
		t, err := newTemplate(text, known)
		if err != nil {
			return nil, &dialect.PathError{Path: fmt.Sprintf("join[%d]", i), Err: err}
		}
		r.join = append(r.join, t)
	}
	return r, nil
}

// parameter returns the name of a parameter of a path, such as {room}.
func parameter(part string) (name string, ok bool) {
	name, ok = strings.CutPrefix(part, "{")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "}")
	return name, ok && name != "" && !strings.ContainsAny(name, "{}?:")
}
