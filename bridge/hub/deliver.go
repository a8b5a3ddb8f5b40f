package hub

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// delivery is a reply on its way through the hub: what is known of it before the lock is
// taken.
type delivery struct {
	*Reply
	at      time.Time    // when it came
	message string       // its [Reply].MessageID
	plain   engine.Frame // as plain clients get it
	command commandMatch // the command that it answers
	rhythm  bool         // it has changed its actor's rhythm
}

// Reply delivers a reply to every client that wants it. seq is its number in the stream it
// came from; if numbered is false, the hub numbers it.
//
//	encode ──► matchCommand ──► lockMatched │ record ──► deliver │ observe
//	                  without the lock      │ with the lock      │ without it
//
// Reply and Live must be called one at a time. They alone change seq and loading, so Reply
// may read these without the lock.
func (h *Hub) Reply(r *Reply, seq uint64, numbered bool) {
	if !numbered {
		seq = h.seq + 1
	}
	d := h.encode(r, seq)
	h.matchCommand(&d)
	h.recordAndDeliver(&d)
	h.noteCommand(&d)
	h.observe(&d)
}

func (h *Hub) recordAndDeliver(d *delivery) {
	h.lockMatched(d.Reply, d.command.owner)
	defer h.mu.Unlock()
	h.record(d)
	if !h.loading {
		h.deliver(d)
		if d.rhythm {
			h.noticeActor(d.Sender)
		}
	}
}

// encode numbers a reply, makes its two frames and reads its keywords.
func (h *Hub) encode(r *Reply, seq uint64) delivery {
	d := delivery{Reply: r, at: h.now(), message: r.MessageID}
	r.Seq, r.Past = seq, r.Past || h.loading
	r.heard = h.heard.of(r, d.at)
	r.encode(h.Epoch)
	d.plain = engine.Must(engine.NewText(r.Plain))
	r.Plain, r.MessageID = nil, "" // the reply is kept for long, and the frame holds the same text
	h.values.Read(r.body, &h.keywords)
	return d
}

// encode makes the frame of a reply for v1 clients: the envelope with seq, epoch and heard as its
// last keys.
func (r *Reply) encode(epoch string) {
	const room = len(`, "seq": , "epoch": "", "heard": }`) + 20 + 20
	end := len(r.Plain) - 1
	buf := make([]byte, 0, end+room+len(epoch))
	buf = append(buf, r.Plain[:end]...)
	buf = append(buf, `, "seq": `...)
	buf = strconv.AppendUint(buf, r.Seq, 10)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, epoch...)
	buf = append(buf, `", "heard": `...)
	buf = strconv.AppendInt(buf, r.heard.UnixMicro(), 10)
	buf = append(buf, '}')
	r.Frame, r.body = engine.Must(engine.NewText(buf)), buf[r.BodyAt:end:end]
}

// matchCommand finds the command that a reply answers. Replies of a stream's past answer
// none.
func (h *Hub) matchCommand(d *delivery) {
	if h.loading {
		return
	}
	d.command = h.Inflight.replied(d.Reply)
	if d.command.owner != nil {
		d.owner = d.command.owner.ID
	}
	if d.command.end.heard && d.fails() {
		d.command.end.Message = reasonOf(d.body)
	}
}

// record keeps a reply for snapshots, and for clients that resume. mu is held.
func (h *Hub) record(d *delivery) {
	r := d.Reply
	if !h.numbered {
		h.numbered = true
		h.history.floor = max(h.history.floor, r.Seq-min(r.Seq, 1))
	}
	h.seq = r.Seq
	if !r.Unroutable && !r.Aside {
		d.rhythm = h.values.Note(snapshot.Reply{
			Sender: r.Sender, Code: r.Code, RoutingKey: r.RoutingKey, CommandID: r.CommandID, Commander: r.Commander,
			Internal: r.Internal, Broadcast: IsBroadcast(&r.Reply), Time: r.heard, Seq: r.Seq, Keywords: &h.keywords,
		})
	}
	if !r.Unroutable {
		h.history.add(entry{seq: r.Seq, at: d.at, frame: r.Frame, reply: r})
	}
	h.updateFigures()
}

// deliver appends a reply to the logs of the clients that want it. The result of a command
// follows its last reply directly. mu is held.
func (h *Hub) deliver(d *delivery) {
	h.deliveries++
	h.deliverPlain(d)
	h.deliverToGroups(d.Reply)
	h.deliverOwn(d)
	if d.command.waiter != nil {
		d.command.waiter.End(d.command.end)
	}
	h.requeueWaiting()
	h.delivered.seq.Store(d.Seq)
}

// delivered is the number of the last reply that was delivered. It is read without the hub's
// lock.
type delivered struct {
	known atomic.Bool // false while the past of a stream is being read
	seq   atomic.Uint64
}

// load returns nil while the past of a stream is being read.
func (d *delivered) load() *uint64 {
	if !d.known.Load() {
		return nil
	}
	seq := d.seq.Load()
	return &seq
}
