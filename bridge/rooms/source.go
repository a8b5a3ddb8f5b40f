package rooms

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Source is an exchange other than the actors', or Redis channels, whose messages go to rooms. A room
// is a path. In the raw format they go there unchanged: a message with the routing key K, or by the
// channel K, is for the room K if that is a path at or below the source's, and otherwise for the room
// Path + "/" + K.
type Source struct {
	// Exchange is the name of the exchange. It is declared if it is missing; an existing one is
	// used whatever its type.
	Exchange string
	// Type is topic, fanout or direct. "" is topic, and direct with the format hightemplar.
	Type string
	// Binding is a topic pattern of routing keys, or the routing key of a direct exchange. "" is all,
	// and "*" for a direct exchange.
	Binding string
	// Redis is used in place of an exchange.
	Redis *Redis
	// Format is one of the constants; "" is raw.
	Format string
	// Path is the path at and below which the source's rooms are. "" is "/" and the exchange's
	// name. "/" makes every other path a room.
	Path string
	// bare reports whether routing keys are the paths of rooms without Path in front.
	bare bool
}

// Redis is where a source's messages come from by Redis pub/sub.
type Redis struct {
	// URL is that of a server, as in redis://user:password@host:6379/0.
	URL string
	// Channels are the names or patterns of the channels. Without any they are those that begin with
	// Prefix, or Jararaca's.
	Channels []string
	// Prefix is taken off the names of channels.
	Prefix string
	// Broadcast is the channel of Jararaca's messages for all.
	Broadcast string
}

// Jararaca's own names of its channels.
const (
	jararacaSend      = "jararaca:websocket:send"
	jararacaBroadcast = "jararaca:websocket:broadcast"
)

// maxChannels is how many channels and patterns a source may have.
const maxChannels = 64

// Name returns the name of the source, which no other has.
func (s *Source) Name() string {
	if s.Redis != nil {
		return "redis:" + s.Path
	}
	return s.Exchange
}

// ReadOnly reports whether clients cannot publish to the source's rooms.
func (s *Source) ReadOnly() bool { return s.Redis != nil || s.Format != FormatRaw }

// Complete sets the defaults of empty fields. It fails if the source is not valid.
func (s *Source) Complete() error {
	check := s.completeExchange
	if s.Redis != nil {
		check = s.completeRedis
	}
	if err := check(); err != nil {
		return err
	}
	return s.checkFormat()
}

func (s *Source) completeExchange() (err error) {
	switch {
	case s.Exchange == "":
		return errors.New("a source needs an exchange, or redis; " + sourceForm)
	case s.Type != "" && s.Type != "topic" && s.Type != "fanout" && s.Type != "direct":
		return fmt.Errorf("the source %s has the type %q; choose topic, fanout or direct", s.Exchange, s.Type)
	case s.Type == "fanout" && s.Binding != "":
		return fmt.Errorf("the source %s is a fanout, which ignores bindings; leave the binding out", s.Exchange)
	}
	if s.Type == "" {
		s.Type = "topic"
		if s.Format == FormatHighTemplar {
			s.Type = "direct"
		}
	}
	if s.Binding == "" {
		s.Binding = map[string]string{"topic": "#", "direct": "*"}[s.Type]
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

func (s *Source) completeRedis() (err error) {
	r := *s.Redis
	switch {
	case s.Exchange != "" || s.Type != "" || s.Binding != "":
		return errors.New("a source has redis and exchange, type or binding; give one of redis and exchange, which are two sources")
	case s.Path == "":
		return errors.New("a source of redis needs a path, at and below which its rooms are; add path=/PREFIX")
	}
	if s.Path, err = CleanPath(s.Path); err != nil {
		return fmt.Errorf("the rooms of a source of redis: %w", err)
	}
	switch {
	case s.Format == FormatJararaca:
		if len(r.Channels) == 0 {
			r.Channels = []string{jararacaSend}
		}
		if r.Broadcast == "" {
			r.Broadcast = jararacaBroadcast
		}
	case r.Broadcast != "":
		return fmt.Errorf("the source %s has broadcast, which is for the format jararaca; leave it out, or add format=jararaca", s.Name())
	case len(r.Channels) == 0:
		r.Channels = []string{escapeGlob(r.Prefix) + "*"}
	}
	if len(r.Channels) > maxChannels {
		return fmt.Errorf("the source %s has %d channels; it may have %d, and patterns such as live.* are many", s.Name(), len(r.Channels), maxChannels)
	}
	s.Redis = &r
	return nil
}

// escapeGlob returns a text as the pattern of a Redis channel that only the text has.
func escapeGlob(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(text)
}

// Patterns returns the names and patterns of all channels.
func (r *Redis) Patterns() []string {
	if r.Broadcast == "" {
		return r.Channels
	}
	return append(slices.Clone(r.Channels), escapeGlob(r.Broadcast))
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
