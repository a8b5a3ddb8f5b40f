package hightemplar

import (
	"encoding/json"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// High-templar has nothing by which a page could get what it missed while it was away. Here, a page that
// subscribes with the key since, "now" at first, gets the place of each message with it, and gives the
// last one when it subscribes again.

// Bounds of what a subscription gets of what it missed, each message of it in a frame of its own.
const (
	maxMissed      = 10_000
	maxMissedBytes = 4 << 20
)

// tooMuch reports whether messages are more than a subscription gets.
func tooMuch(missed []*rooms.Message) bool {
	bytes := 0
	for _, m := range missed {
		bytes += len(m.Body)
	}
	return len(missed) > maxMissed || bytes > maxMissedBytes
}

// resume adds a subscription whose messages have places. It sends the answer, and what was missed.
func (h *hub) resume(resuming *rooms.Resuming, conn engine.Conn, path, id string, since *rooms.Since) (s *subscription) {
	resuming.Begin(path, rooms.FormatHighTemplar, *since, func(missed rooms.Missed) {
		if tooMuch(missed.Messages) {
			missed.Messages = nil
			missed.Answer.Lose("too many messages were missed")
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		s = h.add(conn, path, groupKey{id: id, placed: true})
		frames := []engine.Frame{engine.Text(string(protocol.JSON(struct {
			Code string          `json:"code"`
			ID   json.RawMessage `json:"requestId"` // of a page with several subscriptions, which has a place of each
			rooms.Answer
		}{"success", json.RawMessage(id), missed.Answer})))}
		for _, m := range missed.Messages {
			frames = append(frames, placedFrame(m, id, resuming.Place(m.Seq)))
		}
		conn.SendInOrder(frames...)
		h.counts.sent.Add(int64(len(frames) - 1))
	})
	return s
}

// placedFrame returns the frame of a message with its place.
func placedFrame(m *rooms.Message, id, place string) engine.Frame {
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+len(m.Body)+len(id)+96)
	buf = append(append(buf, `{"type": "publish", "data": `...), m.Body...)
	buf = append(append(buf, `, "requestId": `...), id...)
	buf = append(append(append(buf, `, "since": "`...), place...), `"}`...)
	return engine.Must(engine.NewText(buf))
}

// deliverPlaced sends a message to those of a room's subscriptions that have places.
func (r *openRoom) deliverPlaced(m *rooms.Message, c *counts, place string) {
	for key, g := range r.groups {
		if !key.placed {
			continue
		}
		f := placedFrame(m, key.id, place)
		for _, s := range g.members {
			s.conn.SendInOrder(f)
		}
		c.sent.Add(int64(len(g.members)))
	}
}

// gap tells the subscriptions that have places that messages of a source may have been lost.
func (h *hub) gap(source *rooms.Source, from, to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	gap := protocol.GapOf(from, to)
	for path, r := range h.byPath {
		if !source.Covers(path) {
			continue
		}
		for key, g := range r.groups {
			if !key.placed {
				continue
			}
			f := engine.Text(string(protocol.JSON(struct {
				Type string          `json:"type"`
				ID   json.RawMessage `json:"requestId"` // the client's, as High-templar has it
				From *string         `json:"from"`
				To   string          `json:"to"`
			}{"gap", json.RawMessage(key.id), gap.From, gap.To})))
			for _, s := range g.members {
				s.conn.SendInOrder(f)
			}
		}
	}
}
