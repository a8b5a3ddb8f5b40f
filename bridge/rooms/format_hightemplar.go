package rooms

import (
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// decodeHighTemplar reads a message of High-templar's backends,
//
//	{"rooms": [{"zoo": 1}, ...], "data": ...}
//
// which is a message for each room, as often as it is named. A client gets data as it is written.
func (s *Source) decodeHighTemplar(body []byte) ([]Message, error) {
	if ok, _ := jsonscan.Valid(body); !ok || !utf8.Valid(body) {
		return nil, ErrNotJSON
	}
	var list, data []byte
	members := jsonscan.MembersOf(body)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		switch string(key) {
		case "rooms":
			list = value
		case "data":
			data = value
		}
	}
	if data == nil || len(list) == 0 || list[0] != '[' {
		return nil, ErrForm
	}
	frame := Frame(data)
	var messages []Message
	for room := range jsonscan.Elements(list) {
		name, err := DictName(room)
		if err != nil {
			return nil, err
		}
		if len(messages) == maxNamed {
			return nil, ErrManyRooms
		}
		messages = append(messages, Message{Path: s.named(name), Frame: frame, Body: data, Whole: body})
	}
	return messages, nil
}
