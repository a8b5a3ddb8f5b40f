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
	shares quota.Table // of the rooms that are followed
}

// maxFollowed is how many rooms may be followed, counting each as often as clients follow it together
// with others.
const maxFollowed = 100_000

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
	had     uint64 // the publication that they had last
}

var errNothingKept = errors.New("this bridge keeps no messages of rooms (--room-history 0), so nobody can resume")

// NewResuming returns the clients of a sequencer that resume. epoch is this bridge's, and kept is how
// many bytes of messages may be kept; with 0, nobody can resume.
func NewResuming(q *Sequencer, newLog func() *engine.Log, epoch string, kept int) *Resuming {
	return &Resuming{
		sequence: q, newLog: newLog, recent: recent{epoch: epoch, limit: kept},
		byKey: map[string]*Follower{}, index: PathIndex[*Follower]{}, shares: quota.NewTable(maxFollowed),
	}
}

// Deliver keeps a message, and delivers it. It is called by the sequencer.
func (r *Resuming) Deliver(m *Message) {
	if r.recent.limit == 0 {
		return
	}
	k := &kept{message: m}
	r.recent.add(k)
	for _, f := range r.index.At(m.Path) {
		if f.takes(m) {
			f.log.Append(r.frame(k))
		}
	}
}

// takes reports whether the followers get a message for their rooms. They get each publication once, in
// whichever of the rooms.
func (f *Follower) takes(m *Message) bool {
	if f.format != "" && f.format != m.Format || f.had == m.Publication {
		return false
	}
	f.had = m.Publication
	return true
}

// Gap tells the clients of a source that messages may have been lost between two times.
func (r *Resuming) Gap(s *Source, from, to time.Time) {
	r.sequence.Locked(func() {
		if r.recent.limit == 0 {
			return
		}
		k := &kept{gap: &gap{s, from, to}}
		r.recent.add(k)
		for _, f := range r.byKey {
			if f.hears(s) {
				f.log.Append(r.frame(k))
			}
		}
	})
}

// hears reports whether a source has messages for one of the followers' rooms.
func (f *Follower) hears(s *Source) bool {
	if f.format != "" && f.format != s.Format {
		return false
	}
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
	// Since is its place now, from which it resumes if it loses its connection before it has had more.
	Since string `json:"since"`

	latest string // its place if what it missed does not come
}

// Lose says that what a client missed does not come.
func (a *Answer) Lose(reason string) {
	resumed := false
	a.Resumed, a.Reason, a.Since = &resumed, reason, a.latest
}

// answer returns the answer to a client that was at a place. lost is why it cannot resume; otherwise
// coming reports whether there is something that it missed. The lock is held.
func (r *Resuming) answer(s Since, lost string, coming bool) Answer {
	a := Answer{latest: r.recent.token(r.recent.last)}
	switch {
	case lost != "":
		a.Lose(lost)
	case s != (Since{}):
		resumed := true
		a.Resumed = &resumed
	}
	if a.Since = a.latest; coming {
		a.Since = r.recent.token(s.seq)
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
		frames := []engine.Frame{nil} // the answer
		wanted := wantedBy(w.Paths)
		had, missed, lost := r.recent.since(s, wanted, f.hears)
		before := f.had
		f.had = had // it may have been for several of the rooms
		for _, k := range missed {
			if k.gap != nil && f.hears(k.gap.source) || k.message != nil && wanted[k.message.Path] && f.takes(k.message) {
				frames = append(frames, r.frame(k))
			}
		}
		f.had = before
		answer := r.answer(s, lost, len(frames) > 1)
		answer.Op = "ok"
		frames[0] = protocol.Encode(answer)
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
		if !r.shares.Take(address, len(w.Paths), 0) {
			return nil, r.shares.Full(address, "rooms with clients", "go to one that has some, or try again later")
		}
		f = &Follower{key: key, paths: w.Paths, format: w.Format, log: r.newLog(), address: address}
		r.byKey[key] = f
		r.index.Add(f, w.Paths...)
	}
	f.clients++
	return f, nil
}

// Leave removes a client.
func (r *Resuming) Leave(f *Follower) {
	r.sequence.Locked(func() {
		if f.clients--; f.clients > 0 {
			return
		}
		delete(r.byKey, f.key)
		r.shares.Give(f.address, len(f.paths))
		r.index.Remove(f, f.paths...)
		f.log.Close()
	})
}

// Missed is what a client missed of a room.
type Missed struct {
	Answer Answer
	// Messages have been published since its place, oldest first. Had are those before, as far as they
	// are kept. If messages are missing, there are none of either.
	Had, Messages []*Message
}

// Begin calls a function with what has been published since a place for a room, and not for one above
// it, in a format, while nothing is delivered.
func (r *Resuming) Begin(path, format string, s Since, begin func(m Missed)) {
	hears := func(s *Source) bool { return s.Format == format && s.Covers(path) }
	messages := func(all []*kept) (of []*Message) {
		for _, k := range all {
			if k.message != nil && k.message.Path == path && k.message.Format == format {
				of = append(of, k.message)
			}
		}
		return of
	}
	r.sequence.Locked(func() {
		_, missed, lost := r.recent.since(s, map[string]bool{path: true}, hears)
		for _, k := range missed {
			if k.gap != nil && hears(k.gap.source) {
				lost = "messages of its source may have been lost since then"
			}
		}
		var m Missed
		if lost == "" {
			m.Had, m.Messages = messages(r.recent.before(s)), messages(missed)
		}
		m.Answer = r.answer(s, lost, len(m.Messages) > 0)
		begin(m)
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

// Place returns the place after the message with a number.
func (r *Resuming) Place(seq uint64) string { return r.recent.token(seq) }

// Len returns the number of rooms that clients connected to without another system's protocol, and of
// these clients.
func (r *Resuming) Len() (rooms, clients int) {
	r.sequence.Locked(func() {
		for _, f := range r.byKey {
			if f.format == "" {
				rooms++
				clients += f.clients
			}
		}
	})
	return rooms, clients
}

// frame returns the frame of a message or a gap, with its place. The lock is held.
func (r *Resuming) frame(k *kept) engine.Frame { return r.recent.encoded(k, r.encode) }

// encode encodes a message or a gap. A message has body if it is JSON, text if it is other text, and
// otherwise base64.
func (r *Resuming) encode(k *kept) engine.Frame {
	place := r.Place(k.seq)
	if k.gap != nil {
		return protocol.Encode(struct {
			protocol.Gap
			Since string `json:"since"`
		}{protocol.GapOf(k.gap.from, k.gap.to), place})
	}
	body := k.message.Body
	text := append([]byte(`{"op": "message", "since": "`), place...)
	switch ok, _ := jsonscan.Valid(body); {
	case !utf8.Valid(body):
		text = append(text, `", "base64": "`...)
		text = base64.StdEncoding.AppendEncode(text, body)
		text = append(text, '"')
	case ok:
		text = append(text, `", "body": `...)
		text = append(text, body...)
	default:
		text = append(text, `", "text": `...)
		text = append(text, protocol.JSON(string(body))...)
	}
	return engine.Text(string(append(text, '}')))
}
