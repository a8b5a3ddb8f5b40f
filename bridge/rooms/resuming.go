package rooms

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// Resuming delivers messages together with their places to the clients that ask for that, so that
// they can go on after a lost connection.
//
//	Sequencer ──► Deliver ──► recent: numbered and kept ──► the logs of those who follow the room
//	Enter(since) ──► what was missed, and then the log: none is missing, and none comes twice
//
// All of it happens while the sequencer delivers nothing else.
type Resuming struct {
	sequence *Sequencer
	newLog   func() *engine.Log

	// The sequencer's lock guards the following fields.
	recent recent
	byKey  map[string]*Follower
	index  PathIndex[*Follower]
	count  int // clients
	shares quota.Table
}

// Wanted is what a client hears: messages for rooms, of a format; "" is all.
type Wanted struct {
	Paths  []string
	Format string
}

// Follower is the clients that follow the same rooms.
type Follower struct {
	key     string
	paths   []string
	format  string
	log     *engine.Log
	clients int
	address string // the address whose quota it uses
	whole   *byte  // of the publication that they had last
}

var errNothingKept = errors.New("this bridge keeps no messages of rooms (--room-history 0), so nobody can resume")

// NewResuming returns the clients of a sequencer that resume. epoch is this bridge's, and kept is how
// many bytes of messages may be kept; with 0, nobody can resume.
func NewResuming(q *Sequencer, newLog func() *engine.Log, epoch string, kept int) *Resuming {
	return &Resuming{
		sequence: q, newLog: newLog, recent: recent{epoch: epoch, limit: kept},
		byKey: map[string]*Follower{}, index: PathIndex[*Follower]{}, shares: quota.NewTable(maxRooms),
	}
}

// Deliver keeps a message, and delivers it. It is called by the sequencer.
func (r *Resuming) Deliver(m *Message) {
	if r.recent.limit == 0 {
		return
	}
	r.recent.add(kept{message: m})
	var frame engine.Frame
	for _, f := range r.index.At(m.Path) {
		if !f.takes(m) {
			continue
		}
		if frame == nil {
			frame = r.frame(m)
		}
		f.log.Append(frame)
	}
}

// takes reports whether the followers get a message for their rooms. They get each publication once, in
// whichever of the rooms.
func (f *Follower) takes(m *Message) bool {
	switch {
	case f.format != "" && f.format != m.Format:
		return false
	case len(m.Whole) == 0:
		return true
	}
	first := f.whole != &m.Whole[0]
	f.whole = &m.Whole[0]
	return first
}

// Gap tells the clients of a source that messages may have been lost between two times.
func (r *Resuming) Gap(s *Source, from, to time.Time) {
	r.sequence.Locked(func() {
		if r.recent.limit == 0 {
			return
		}
		r.recent.add(kept{gap: &gap{s, from, to}})
		frame := r.gapFrame(r.recent.last, from, to)
		for _, f := range r.byKey {
			if f.hears(s) {
				f.log.Append(frame)
			}
		}
	})
}

// hears reports whether a source has one of the followers' rooms.
func (f *Follower) hears(s *Source) bool {
	for _, path := range f.paths {
		if s.Covers(path) {
			return true
		}
	}
	return false
}

// Answer says where a client is that resumes, or that begins.
type Answer struct {
	Op string `json:"op,omitempty"` // ok
	// Resumed reports whether it gets everything that it missed; nil if it has missed nothing.
	Resumed *bool  `json:"resumed,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Since is its place now.
	Since string `json:"since"`
}

// answer returns the answer to a client that was at a place. lost is why it cannot resume. The lock is held.
func (r *Resuming) answer(s Since, lost string) Answer {
	a := Answer{Since: r.recent.token(r.recent.last)}
	if s != (Since{}) {
		resumed := lost == ""
		a.Resumed, a.Reason = &resumed, lost
	}
	return a
}

// Enter makes a client follow rooms, after an answer and what it has missed since its place. remote is
// its address.
func (r *Resuming) Enter(conn engine.Conn, remote string, w Wanted, s Since) (f *Follower, err error) {
	r.sequence.Locked(func() {
		if f, err = r.join(quota.Address(remote), w); err != nil {
			return
		}
		had, missed, lost := r.recent.since(s)
		answer := r.answer(s, lost)
		answer.Op = "ok"
		frames := []engine.Frame{protocol.Encode(answer)}
		wanted := wantedBy(w.Paths)
		before := f.whole
		if f.whole = nil; had.message != nil { // the publication may have been for several of the rooms
			f.takes(had.message)
		}
		for _, k := range missed {
			switch {
			case k.gap != nil && f.hears(k.gap.source):
				frames = append(frames, r.gapFrame(k.seq, k.gap.from, k.gap.to))
			case k.message != nil && wanted[k.message.Path] && f.takes(k.message):
				frames = append(frames, r.frame(k.message))
			}
		}
		f.whole = before
		conn.Follow(f.log, frames...)
	})
	return f, err
}

// wantedBy returns the paths whose messages are for some rooms: their own, and those above.
func wantedBy(paths []string) map[string]bool {
	wanted := map[string]bool{}
	for _, path := range paths {
		for above := range Upwards(path) {
			wanted[above] = true
		}
	}
	return wanted
}

// join counts a client that follows rooms. The lock is held.
func (r *Resuming) join(address string, w Wanted) (*Follower, error) {
	if r.recent.limit == 0 {
		return nil, errNothingKept
	}
	key := w.Format + "\n" + strings.Join(w.Paths, "\n")
	f := r.byKey[key]
	if f == nil {
		if !r.shares.Take(address, 1, 0) {
			return nil, r.shares.Full(address, "rooms with clients", "go to one that has some, or try again later")
		}
		f = &Follower{key: key, paths: w.Paths, format: w.Format, log: r.newLog(), address: address}
		r.byKey[key] = f
		r.index.Add(f, w.Paths...)
	}
	f.clients++
	r.count++
	return f, nil
}

// Leave removes a client.
func (r *Resuming) Leave(f *Follower) {
	r.sequence.Locked(func() {
		r.count--
		if f.clients--; f.clients > 0 {
			return
		}
		delete(r.byKey, f.key)
		r.shares.Give(f.address, 1)
		r.index.Remove(f, f.paths...)
		f.log.Close()
	})
}

// Begin calls a function with what has been published since a place for a room, and not for one above
// it, in a format, oldest first, while nothing is delivered. If messages are missing, missed is nil, and the answer says why.
func (r *Resuming) Begin(path, format string, s Since, begin func(missed []*Message, a Answer)) {
	r.sequence.Locked(func() {
		_, entries, lost := r.recent.since(s)
		var missed []*Message
		for _, k := range entries {
			switch {
			case k.gap != nil && k.gap.source.Covers(path):
				lost = "messages of its source may have been lost since then"
			case k.message != nil && k.message.Path == path && k.message.Format == format:
				missed = append(missed, k.message)
			}
		}
		if lost != "" {
			missed = nil
		}
		begin(missed, r.answer(s, lost))
	})
}

// Asked returns the place in the query of a URL of another system's page, or nil if it has none. What
// is no place belongs to the page's application.
func (r *Resuming) Asked(query string) (*Since, error) {
	for pair := range strings.SplitSeq(query, "&") {
		text, ok := strings.CutPrefix(pair, "since=")
		if !ok {
			continue
		}
		if decoded, err := url.QueryUnescape(text); err == nil {
			text = decoded
		}
		if s, err := r.Given(text); s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// Given returns the place that another system's page gives, or nil if the text is none.
func (r *Resuming) Given(text string) (*Since, error) {
	if _, err := parseSince(text); err != nil {
		return nil, nil
	}
	return r.Parse(text)
}

// Parse reads a place. It fails if nobody can resume.
func (r *Resuming) Parse(text string) (*Since, error) {
	s, err := parseSince(text)
	switch {
	case err != nil:
		return nil, err
	case r.recent.limit == 0:
		return nil, errNothingKept
	}
	return &s, nil
}

// Place returns the place after a message.
func (r *Resuming) Place(m *Message) string { return r.recent.token(m.Seq) }

// Len returns the number of clients.
func (r *Resuming) Len() (clients int) {
	r.sequence.Locked(func() { clients = r.count })
	return clients
}

// frame returns a message with its place. It has body if it is JSON, text if it is other text, and
// otherwise base64.
func (r *Resuming) frame(m *Message) engine.Frame {
	text := append([]byte(`{"op": "message", "since": "`), r.Place(m)...)
	switch ok, _ := jsonscan.Valid(m.Body); {
	case !utf8.Valid(m.Body):
		text = append(text, `", "base64": "`...)
		text = base64.StdEncoding.AppendEncode(text, m.Body)
		text = append(text, '"')
	case ok:
		text = append(text, `", "body": `...)
		text = append(text, m.Body...)
	default:
		text = append(text, `", "text": `...)
		text = append(text, protocol.JSON(string(m.Body))...)
	}
	return engine.Text(string(append(text, '}')))
}

// gapFrame returns the frame of a gap, which has a place.
func (r *Resuming) gapFrame(seq uint64, from, to time.Time) engine.Frame {
	return protocol.Encode(struct {
		protocol.Gap
		Since string `json:"since"`
	}{protocol.GapOf(from, to), r.recent.token(seq)})
}
