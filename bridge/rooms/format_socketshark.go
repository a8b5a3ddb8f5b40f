package rooms

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// decodeSocketShark reads a message of SocketShark's services,
//
//	{"subscription": "service.topic", "data": ..., "options": {...}, FIELD: ...}
//
// which is for the room of its subscription. A client gets data as it is written. What the options
// and the fields say counts for each subscription apart, so it is left to the dialect.
func (s *Source) decodeSocketShark(channel string, body []byte) ([]Message, error) {
	if ok, _ := jsonscan.Valid(body); !ok || !utf8.Valid(body) {
		return nil, ErrNotJSON
	}
	var subscription, data []byte
	members := jsonscan.MembersOf(body)
	for key, value, ok := members.Next(); ok; key, value, ok = members.Next() {
		switch string(key) {
		case "subscription":
			subscription = value
		case "data":
			data = value
		}
	}
	var name string
	if data == nil || len(subscription) == 0 || subscription[0] != '"' || json.Unmarshal(subscription, &name) != nil {
		return nil, ErrForm
	}
	if name != channel {
		return nil, ErrOtherChannel
	}
	return []Message{{Path: s.named(EscapeName(name)), Frame: Frame(data), Body: data, Whole: body}}, nil
}
