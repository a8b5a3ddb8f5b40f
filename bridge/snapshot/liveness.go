package snapshot

import (
	"strconv"
	"time"
)

// Presence reports whether somebody takes an actor's commands.
type Presence uint8

// The values of [Presence].
const (
	Unknown Presence = iota
	Absent
	Present
)

// Liveness is what is known of an actor beside its replies.
type Liveness struct {
	Name     string
	Last     time.Time     // of its last reply, see [Reply].Time
	Seq      uint64        // of its last reply
	Interval time.Duration // how often it usually broadcasts, to the millisecond; 0 is not known
	Consumer Presence
}

// noteRhythm takes an actor's last reply, which is a broadcast, into account for its rhythm. It
// reports whether the rhythm has changed noticeably.
func (s *Store) noteRhythm(a *actor) (changed bool) {
	if a.beat != nil {
		s.release(a, a.beat)
	}
	a.beat = a.last
	a.beat.refs++
	if a.pauses != s.pauses {
		a.pauses = s.pauses
		a.rhythm.Skip()
	}
	return a.rhythm.Note(a.last.Time)
}

// Interrupt says that replies may be missing here: the space between the replies before and after it
// is of no account for an actor's rhythm.
func (s *Store) Interrupt() { s.pauses++ }

// SetConsumer sets whether somebody takes an actor's commands. It reports whether that has changed,
// which it has not for an actor that is not known.
func (s *Store) SetConsumer(name string, is Presence) (changed bool) {
	a := s.actors[name]
	if a == nil || a.consumer == is {
		return false
	}
	a.consumer = is
	s.replies++
	a.changed = s.replies
	s.recent.MoveToFront(a.place)
	return true
}

// Liveness returns what is known of all actors beside their replies, in no order.
func (s *Store) Liveness() []Liveness {
	all := make([]Liveness, 0, len(s.actors))
	for _, a := range s.actors {
		all = append(all, a.liveness())
	}
	return all
}

// LivenessOf returns what is known of an actor, and its last broadcast, or else its last reply.
func (s *Store) LivenessOf(name string) (l Liveness, e Entry, known bool) {
	a := s.actors[name]
	if a == nil {
		return l, e, false
	}
	if a.beat != nil {
		return a.liveness(), a.beat.entry(), true
	}
	return a.liveness(), a.last.entry(), true
}

func (a *actor) liveness() Liveness {
	return Liveness{Name: a.name, Last: a.last.Time, Seq: a.last.Seq, Interval: a.rhythm.Interval(), Consumer: a.consumer}
}

// append writes the rhythm and the consumer:
//
//	"interval_ms": 1000, "consumer": true
func (l *Liveness) append(dst []byte) []byte {
	dst = append(dst, `, "interval_ms": `...)
	if l.Interval > 0 {
		dst = strconv.AppendInt(dst, l.Interval.Milliseconds(), 10)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `, "consumer": `...)
	return append(dst, l.Consumer.String()...)
}

// String returns the presence as JSON has it.
func (p Presence) String() string { return [...]string{"null", "false", "true"}[p] }
