package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// pastProblems follows the problems in the part of a stream that lies before the replies that the
// bridge read for its clients. Once that is read, the bridge's tracker adopts what it found.
type pastProblems struct {
	tracker *problem.Tracker
	last    uint64 // offset of the last reply
	noted   bool   // there was one
}

// note notes a reply with an offset.
func (p *pastProblems) note(r *hub.Reply, offset uint64, heard time.Time, known bool, body []byte) {
	p.last, p.noted = offset, true
	if !known {
		heard = time.Unix(0, 0)
	}
	switch {
	case r.Aside:
		if !isAckReply(r.Sender, r.RoutingKey, r.Code, r.CommandID, r.Internal) {
			return
		}
		if ack, err := problem.ParseAck(body); err == nil { // otherwise it was told when it came
			p.tracker.Acked(ack, heard, offset)
		}
	case !r.Unroutable:
		p.tracker.Note(&problem.Reply{Reply: &r.Reply, Seq: offset, Heard: heard, Body: body, Keywords: func(yield func(name, value []byte) bool) {
			for m := jsonscan.MembersOf(body); ; {
				name, value, ok := m.Next()
				if !ok || !yield(name, value) {
					return
				}
			}
		}})
	}
}

// adoptPast lets the tracker know what the past says.
func (b *Bridge) adoptPast(p *pastProblems) {
	if p.noted && !b.problems.Adopt(p.tracker, p.last) {
		b.log.Warn("problems from before the last replies are not known: too much came while the stream was read")
	}
}
