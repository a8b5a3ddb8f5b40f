package rooms

import (
	"fmt"
	"slices"
	"strings"
)

// Formats of a source's messages.
const (
	FormatRaw         = "raw"         // the body is for the room of its routing key or channel
	FormatHighTemplar = "hightemplar" // the body names its rooms
	FormatSocketShark = "socketshark" // the body has data and options
	FormatJararaca    = "jararaca"    // the body begins with the names of its rooms
)

var formats = []string{FormatRaw, FormatHighTemplar, FormatSocketShark, FormatJararaca}

// checkFormat completes the format. It fails if there is no such format, or if the source cannot have
// it.
func (s *Source) checkFormat() error {
	if s.Format == "" {
		s.Format = FormatRaw
	}
	switch {
	case !slices.Contains(formats, s.Format):
		return fmt.Errorf("the source %s has the format %q; choose one of %s", s.Name(), s.Format, strings.Join(formats, ", "))
	case s.Format == FormatJararaca && s.Redis == nil:
		return fmt.Errorf("the source %s has the format jararaca, which comes by Redis only; write redis=URL in place of the exchange", s.Name())
	case s.Format != FormatRaw && len(s.Path) > maxRoomPath-1-maxName:
		return fmt.Errorf("the path of the source %s is %d bytes long; with the format %s it may have %d, as the names of rooms follow it", s.Name(), len(s.Path), s.Format, maxRoomPath-1-maxName)
	}
	return nil
}

// DropReason is why a message is for no room. It is an error.
type DropReason string

func (d DropReason) Error() string { return string(d) }

// Why [Source.Decode] fails.
const (
	ErrNotJSON      DropReason = "body is not JSON"
	ErrForm         DropReason = "body has not the form that the source's format has"
	ErrManyRooms    DropReason = "body names too many rooms"
	ErrOtherChannel DropReason = "body names another subscription than its channel"
)

// DropReasons returns all reasons.
func DropReasons() []DropReason {
	return []DropReason{ErrNotJSON, ErrForm, ErrManyRooms, ErrOtherChannel}
}

// maxNamed is how many rooms a message may name.
const maxNamed = 10_000

// Decode returns the messages that a body is, which came by a routing key or a Redis channel. They
// share the body, which must not be changed afterwards. Its errors are [DropReason].
func (s *Source) Decode(key string, body []byte) ([]Message, error) {
	messages, err := s.decode(key, body)
	for i := range messages {
		messages[i].Format = s.Format
	}
	return messages, err
}

func (s *Source) decode(key string, body []byte) ([]Message, error) {
	if s.Redis != nil {
		if s.Format == FormatJararaca && key == s.Redis.Broadcast {
			return []Message{binaryMessage(s.Path, body, body)}, nil
		}
		key = strings.TrimPrefix(key, s.Redis.Prefix)
	}
	switch s.Format {
	case FormatHighTemplar:
		return s.decodeHighTemplar(body)
	case FormatSocketShark:
		return s.decodeSocketShark(key, body)
	case FormatJararaca:
		return s.decodeJararaca(body)
	}
	return []Message{{Path: s.Room(key), Frame: Frame(body), Body: body, Whole: body}}, nil
}

// named returns the path of the room with an escaped name.
func (s *Source) named(escaped string) string { return strings.TrimSuffix(s.Path, "/") + "/" + escaped }
