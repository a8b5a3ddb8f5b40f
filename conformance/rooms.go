package conformance

import "slices"

// handleRoom handles what has happened on a connection to a room.
func (p *player) handleRoom(it item) {
	path := it.wire.path
	switch {
	case it.opened:
		p.rooms[path] = it.wire
	case it.closed:
		if p.rooms[path] == it.wire {
			delete(p.rooms, path)
		}
	default:
		p.fail("a room takes no messages, and the client sent %s to %s", format(it.msg), path)
	}
}

// awaitRequest awaits that the client asks for a subscription. For rooms alone it may also connect to each of them.
func (p *player) awaitRequest(s Subscribe) error {
	if s.Rooms == nil || s.Filter != nil {
		return p.awaitMessage(p.wantedRequest(s))
	}
	return p.until("a subscription or connections to the rooms", func() bool {
		return p.take(p.wantedRequest(s)) || !slices.ContainsFunc(s.Rooms, func(room string) bool { return p.rooms[room] == nil })
	})
}

// post sends a message for a room: over the connection to it, if there is one.
func (p *player) post(m Post) error {
	if w := p.rooms[m.Room]; w != nil {
		w.send(format(m.Body))
	} else {
		p.send(m.Body)
	}
	return nil
}
