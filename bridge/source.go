package bridge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// Source is an exchange beside the actors', whose messages go to rooms, raw. A room
// is a path. What is published with the routing key K is for the room K if that is
// a path at or below the source's own, and else for the room Path + "/" + K.
type Source struct {
	// Exchange is declared if it is missing; if it exists, it is used as it is.
	Exchange string
	// Type is topic or fanout. "" is topic.
	Type string
	// Binding is a topic pattern of routing keys. "" is all.
	Binding string
	// Path is that of the source's rooms: they are at and below it. "" is "/" and
	// the exchange's name. "/" makes every other path a room.
	Path string
	// bare is set when keys are the paths of rooms without Path in front.
	bare bool
}

// sourceForm is how a source is written.
const sourceForm = "write exchange=NAME[,type=topic|fanout][,binding=PATTERN][,path=/PREFIX]"

// ParseSource reads exchange=NAME[,type=topic|fanout][,binding=PATTERN][,path=/PREFIX].
func ParseSource(text string) (s Source, err error) {
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		to := map[string]*string{"exchange": &s.Exchange, "type": &s.Type, "binding": &s.Binding, "path": &s.Path}[key]
		switch {
		case !ok || to == nil:
			return s, fmt.Errorf("%q of the source %q is not understood; %s", part, text, sourceForm)
		case given[key]:
			return s, fmt.Errorf("the source %q has two of %s; %s", text, key, sourceForm)
		case value == "":
			return s, fmt.Errorf("the source %q has an empty %s; %s", text, key, sourceForm)
		}
		given[key], *to = true, value
	}
	return s, s.complete()
}

// complete fills in what was left out, and says what is wrong with the rest.
func (s *Source) complete() (err error) {
	switch {
	case s.Exchange == "":
		return errors.New("a source needs an exchange; " + sourceForm)
	case s.Type != "" && s.Type != "topic" && s.Type != "fanout":
		return fmt.Errorf("the source %s has the type %q; choose topic or fanout", s.Exchange, s.Type)
	case s.Type == "fanout" && s.Binding != "":
		return fmt.Errorf("the source %s is a fanout, which heeds no binding; leave the binding out", s.Exchange)
	}
	if s.Type == "" {
		s.Type = "topic"
	}
	if s.Type == "topic" && s.Binding == "" {
		s.Binding = "#"
	}
	if s.Path == "" {
		s.Path = "/" + s.Exchange
	} else if s.Path != "/" && s.Path != "/"+s.Exchange {
		s.bare = true
	}
	if s.Path, err = roomPath(s.Path); err != nil {
		return fmt.Errorf("the rooms of the source %s: %w", s.Exchange, err)
	}
	return nil
}

// checkSources completes the sources, and says what is wrong with them together.
func (cfg *Config) checkSources() error {
	cfg.Sources = slices.Clone(cfg.Sources)
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if err := s.complete(); err != nil {
			return err
		}
		if s.Exchange == cfg.Exchange {
			return fmt.Errorf("the source %s is the actors' exchange, which every client hears; leave the source out", s.Exchange)
		}
		if cfg.roomsQueue(s) == actor.RepliesQueue(cfg.Name) {
			return fmt.Errorf("the queue of the source %s would have the name of that of the replies; call the exchange otherwise", s.Exchange)
		}
		for _, other := range cfg.Sources[:i] {
			if s.Exchange == other.Exchange {
				return fmt.Errorf("two sources are the exchange %s; give one", s.Exchange)
			}
			if s.Path == other.Path {
				return fmt.Errorf("the sources %s and %s have the same path %s; give each its own", other.Exchange, s.Exchange, s.Path)
			}
		}
	}
	return nil
}

// roomsQueue is the name of the queue in which a source's messages come.
func (cfg *Config) roomsQueue(s *Source) string { return cfg.Name + "_" + s.Exchange }

// covers tells whether a path is a room of the source's.
func (s *Source) covers(path string) bool {
	if s.Path == "/" {
		return path != "/"
	}
	return path == s.Path || strings.HasPrefix(path, s.Path+"/")
}

// room is the path of the room for which a message with the routing key is.
func (s *Source) room(key string) string {
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

// key is the routing key for a room of the source's: its path, or without the
// source's own in front where that was chosen.
func (s *Source) key(room string) string {
	if s.bare {
		return strings.TrimPrefix(strings.TrimPrefix(room, s.Path), "/")
	}
	return room
}

// sourceOf gives the source whose room a path is: the one with the longest path.
func sourceOf(sources []Source, path string) *Source {
	var best *Source
	for i := range sources {
		if s := &sources[i]; s.covers(path) && (best == nil || len(s.Path) > len(best.Path)) {
			best = s
		}
	}
	return best
}

// Bounds of a room's path. Each part costs a place in an index.
const (
	maxRoomPath  = 255 // bytes
	maxRoomParts = 16
)

// roomPath gives a path as rooms are known by: without a slash at the end.
func roomPath(path string) (string, error) {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "", fmt.Errorf("%s is not the path of a room; begin it with /, as in /live/x", quote.Text(path))
	case len(path) > maxRoomPath:
		return "", fmt.Errorf("the path %s is %d bytes long; a room's may have %d", quote.Text(path), len(path), maxRoomPath)
	case !utf8.ValidString(path):
		return "", fmt.Errorf("the path %s is not UTF-8", quote.Text(path))
	case path == "/":
		return path, nil
	}
	if err := checkDots(path); err != nil {
		return "", err
	}
	path = strings.TrimSuffix(path, "/")
	if strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		return "", fmt.Errorf("the path %s has an empty part; write one slash between its parts", quote.Text(path))
	}
	if n := strings.Count(path, "/"); n > maxRoomParts {
		return "", fmt.Errorf("the path %s has %d parts; a room's may have %d", quote.Text(path), n, maxRoomParts)
	}
	return path, nil
}
