package bridge

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// catchUpPatience is how long a client may wait that has heard more than this
// bridge: another bridge of the same stream was faster.
const catchUpPatience = 5 * time.Second

// hub is where every reply passes: it gives them their numbers, remembers them,
// and puts them into the logs that the clients follow.
type hub struct {
	plain *engine.Log // every reply, as a plain client gets it
	v1    *engine.Log // every reply as a v1 client gets it, and notices

	// mu guards the following fields. It is held while frames are appended, which
	// waits for the engine's loops: no loop may ever wait for it. What clients ask
	// for goes over the desk.
	mu      sync.Mutex
	epoch   string // with seq, names a reply
	shared  bool   // other bridges have the same epoch: the numbers are a stream's
	seq     uint64 // the last reply's
	begun   bool   // there was a reply
	past    history
	loading bool   // the past of a stream is being read: nothing of it is news
	link    string // the broker's state as v1 clients know it
	waiting map[*waiter]struct{}
	v1s     int // clients that follow v1
}

// waiter is a client that resumes behind a reply that has not come here yet.
type waiter struct {
	seq uint64
	do  func() // called with mu held
}

func newHub(e *engine.Engine, cfg Config) *hub {
	return &hub{
		plain:   e.NewLog(),
		v1:      e.NewLog(),
		epoch:   cfg.epoch(),
		past:    history{History: cfg.History},
		shared:  cfg.Durable.Stream != nil,
		loading: cfg.Durable.Stream != nil,
		link:    "down",
		waiting: map[*waiter]struct{}{},
	}
}

// hubFigures are the hub's figures for metrics.
type hubFigures struct {
	epoch            string
	seq              uint64
	kept, bytes, v1s int
}

func (h *hub) figures() hubFigures {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past.expire(time.Now())
	return hubFigures{h.epoch, h.seq, h.past.len(), h.past.bytes, h.v1s}
}

// newEpoch names the numbers of a bridge that counts its replies itself.
func newEpoch() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// reply brings one reply to every client. Its payload starts at
// [engine.HeaderRoom] and is the hub's from now on. seq is its number in the
// stream that it came by; without one the hub counts.
func (h *hub) reply(buf []byte, seq uint64, numbered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !numbered {
		seq = h.seq + 1
	}
	if !h.begun {
		h.begun = true
		h.past.floor = max(h.past.floor, seq-min(seq, 1))
	}
	h.seq = seq
	if h.v1s > 0 || h.past.Replies > 0 {
		frame := h.number(buf, seq)
		h.past.add(entry{seq: seq, at: time.Now(), frame: frame})
		if h.v1s > 0 && !h.loading {
			h.v1.Append(frame)
		}
	} else {
		h.past.floor = seq
	}
	if h.loading {
		return
	}
	h.plain.Append(engine.Seal(buf))
	h.serveWaiting()
}

// number makes the frame of a reply for v1 clients: its envelope with two more
// keys behind the others, seq and epoch.
func (h *hub) number(envelope []byte, seq uint64) engine.Frame {
	const room = len(`, "seq": , "epoch": ""}`) + 20
	buf := make([]byte, 0, len(envelope)+room+len(h.epoch))
	buf = append(buf, envelope[:len(envelope)-1]...)
	buf = append(buf, `, "seq": `...)
	buf = strconv.AppendUint(buf, seq, 10)
	buf = append(buf, `, "epoch": "`...)
	buf = append(buf, h.epoch...)
	return engine.Seal(append(buf, `"}`...))
}

// missed tells v1 clients, now and when they resume, of a span of time in which
// replies may have been lost.
func (h *hub) missed(gap amqpx.Gap) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frame := gapFrame(gap)
	h.past.add(entry{seq: h.seq, notice: true, at: time.Now(), frame: frame})
	h.tell(frame)
}

// linked tells v1 clients of the broker's state, if it is news to them.
func (h *hub) linked(state amqpx.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if word := brokerWord(state); word != h.link {
		h.link = word
		h.tell(brokerFrame(state))
	}
}

// tell gives a notice to all v1 clients. mu is held.
func (h *hub) tell(frame engine.Frame) {
	if h.v1s > 0 {
		h.v1.Append(frame)
	}
}

// live is called when the past of a stream was read.
func (h *hub) live() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loading = false
	h.serveWaiting()
}

// await calls do, with mu held, once the reply with this number has come, or
// when it is clear that it does not come. mu is held.
func (h *hub) await(seq uint64, do func()) {
	w := &waiter{seq, do}
	if h.ripe(w) {
		do()
		return
	}
	h.waiting[w] = struct{}{}
	time.AfterFunc(catchUpPatience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.loading {
			h.serve(w)
			return
		}
		w.seq = 0 // the past must be there, however long it takes
	})
}

func (h *hub) ripe(w *waiter) bool { return !h.loading && w.seq <= h.seq }

// serveWaiting calls those whose reply has come. mu is held.
func (h *hub) serveWaiting() {
	for w := range h.waiting {
		if h.ripe(w) {
			h.serve(w)
		}
	}
}

// serve calls one who waits, once. mu is held.
func (h *hub) serve(w *waiter) {
	if _, ok := h.waiting[w]; ok {
		delete(h.waiting, w)
		w.do()
	}
}

// resume gives the frames that a client has missed behind the last reply that it
// had before. Without them, the reason is in words. mu is held.
func (h *hub) resume(last since, s *session) (missing []engine.Frame, reason string) {
	h.past.expire(time.Now())
	if last.Epoch != h.epoch {
		return nil, "the numbers have begun anew: this is epoch " + h.epoch
	}
	if last.Seq > h.seq {
		return nil, "no reply has this number yet; the last is " + strconv.FormatUint(h.seq, 10)
	}
	upTo := h.seq
	if s.follows {
		upTo = s.from
	}
	missing, ok := h.past.between(last.Seq, upTo)
	if !ok {
		return nil, "the replies behind this number are not kept any more; those behind " + strconv.FormatUint(h.past.floor, 10) + " are"
	}
	return missing, ""
}
