package rooms

import (
	"errors"
	"fmt"
	"strings"
)

// Source is an exchange other than the actors', whose messages go to rooms unchanged. A room
// is a path. A message with the routing key K is for the room K if that is a path at or below
// the source's, and otherwise for the room Path + "/" + K.
type Source struct {
	// Exchange is the name of the exchange. It is declared if it is missing; an existing one is
	// used whatever its type.
	Exchange string
	// Type is topic or fanout. "" is topic.
	Type string
	// Binding is a topic pattern of routing keys. "" is all.
	Binding string
	// Path is the path at and below which the source's rooms are. "" is "/" and the exchange's
	// name. "/" makes every other path a room.
	Path string
	// bare reports whether routing keys are the paths of rooms without Path in front.
	bare bool
}

// sourceForm describes the form of a source, for error messages.
const sourceForm = "write exchange=NAME[,type=topic|fanout][,binding=PATTERN][,path=/PREFIX]"

// ParseSource parses exchange=NAME[,type=topic|fanout][,binding=PATTERN][,path=/PREFIX].
func ParseSource(text string) (s Source, err error) {
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		to := map[string]*string{"exchange": &s.Exchange, "type": &s.Type, "binding": &s.Binding, "path": &s.Path}[key]
		switch {
		case !ok || to == nil:
			return s, fmt.Errorf("%q of the source %q is not understood; %s", part, text, sourceForm)
		case given[key]:
			return s, fmt.Errorf("the source %q has two of %s; %s, and a space between two sources", text, key, sourceForm)
		case value == "":
			return s, fmt.Errorf("the source %q has an empty %s; %s", text, key, sourceForm)
		}
		given[key], *to = true, value
	}
	return s, s.Complete()
}

// Complete sets the defaults of empty fields. It fails if the source is not valid.
func (s *Source) Complete() (err error) {
	switch {
	case s.Exchange == "":
		return errors.New("a source needs an exchange; " + sourceForm)
	case s.Type != "" && s.Type != "topic" && s.Type != "fanout":
		return fmt.Errorf("the source %s has the type %q; choose topic or fanout", s.Exchange, s.Type)
	case s.Type == "fanout" && s.Binding != "":
		return fmt.Errorf("the source %s is a fanout, which ignores bindings; leave the binding out", s.Exchange)
	}
	if s.Type == "" {
		s.Type = "topic"
	}
	if s.Type == "topic" && s.Binding == "" {
		s.Binding = "#"
	}
	usual, failed := CleanPath("/" + s.Exchange)
	if s.Path == "" {
		s.Path, err = usual, failed
	} else {
		s.Path, err = CleanPath(s.Path)
	}
	if err != nil {
		return fmt.Errorf("the rooms of the source %s: %w", s.Exchange, err)
	}
	s.bare = s.Path != "/" && s.Path != usual
	return nil
}

// Covers reports whether a path is a room of the source.
func (s *Source) Covers(path string) bool {
	if s.Path == "/" {
		return path != "/"
	}
	return path == s.Path || strings.HasPrefix(path, s.Path+"/")
}

// Room returns the path of the room that a message with this routing key is for.
func (s *Source) Room(key string) string {
	key = strings.TrimRight(key, "/")
	switch {
	case s.Path == "/":
		return "/" + strings.TrimPrefix(key, "/")
	case key == s.Path || strings.HasPrefix(key, s.Path+"/"):
		return key
	case key == "":
		return s.Path
	}
	return s.Path + "/" + strings.TrimPrefix(key, "/")
}

// RoutingKey returns the routing key of messages for a room of the source: the room's path, without
// Path in front if that is not the default.
func (s *Source) RoutingKey(room string) string {
	if s.bare {
		return strings.TrimPrefix(strings.TrimPrefix(room, s.Path), "/")
	}
	return room
}

// Find returns the source that a room belongs to, which is the one with the longest path; nil
// if there is none.
func Find(sources []Source, path string) *Source {
	var best *Source
	for i := range sources {
		if s := &sources[i]; s.Covers(path) && (best == nil || len(s.Path) > len(best.Path)) {
			best = s
		}
	}
	return best
}
