package rooms

import (
	"bytes"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// decodeJararaca reads what Jararaca sends to rooms,
//
//	room1,room2 NUL payload
//
// which is a message for each room, once. The payload may have zero bytes, too.
func (s *Source) decodeJararaca(body []byte) ([]Message, error) {
	list, payload, ok := bytes.Cut(body, []byte{0})
	if !ok {
		return nil, ErrForm
	}
	if bytes.Count(list, []byte{','}) >= maxNamed {
		return nil, ErrManyRooms
	}
	var messages []Message
	var names []string
	for name := range bytes.SplitSeq(list, []byte{','}) {
		if len(name) > 0 {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		m := binaryMessage(s.named(EscapeName(name)), payload, body)
		if len(messages) > 0 {
			m.Frame = messages[0].Frame
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// binaryMessage returns a message whose frame is binary whatever it holds.
func binaryMessage(path string, payload, whole []byte) Message {
	return Message{Path: path, Frame: engine.Binary(payload), Body: payload, Whole: whole}
}
