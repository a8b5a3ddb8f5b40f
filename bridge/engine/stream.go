package engine

import (
	"sync"
	"sync/atomic"
)

// stream is a log for connections on goroutines: what ring is for a loop, with
// a lock, and with waiting in place of sweeps.
type stream struct {
	limit int           // of bytes
	keep  *streams      // is told when there are frames
	count *atomic.Int64 // of followers, with a ring's; nil where nobody asks

	// mu guards the following fields.
	mu sync.Mutex
	window
	kept      bool // it is among the streams that have frames
	followers int
	lead      uint64        // the highest cursor of all followers
	ahead     int           // bytes between lead and head
	noted     bool          // it is among the streams that are far ahead
	stalled   bool          // nobody read for a while: the source does not wait
	news      chan struct{} // closed when a frame comes; nil when nobody waits
	room      chan struct{} // closed when lead goes on; nil when nobody waits
}

func (s *stream) init(limit int, keep *streams) { s.limit, s.keep = limit, keep }

// append adds a frame.
func (s *stream) append(f Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followers == 0 {
		s.head++ // nobody follows: the window is empty, and stays so
		s.tail, s.lead = s.head, s.head
		return
	}
	s.push(f)
	s.ahead += len(f)
	if s.ahead > s.limit/4 && !s.stalled && !s.noted {
		s.noted = true
		s.keep.noteAhead(s)
	}
	for s.bytes > s.limit && s.head-s.tail > 1 {
		s.advance(s.tail + 1)
		s.drop()
	}
	if !s.kept {
		s.kept = true
		s.keep.add(s)
	}
	signal(&s.news)
}

// awaitRoom waits while the fastest follower is far behind, but not for followers that
// all stand still.
func (s *stream) awaitRoom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noted = false
	for s.ahead > s.limit/4 && !s.stalled && s.followers > 0 {
		s.waitForRoom()
	}
}

// advance notes that the fastest follower, or the end of the window, got there.
func (s *stream) advance(to uint64) {
	for ; s.lead < to; s.lead++ {
		s.ahead -= len(s.at(s.lead))
	}
}

// waitForRoom waits, without the lock, until the leading follower proceeds or the wait
// budget is used up.
func (s *stream) waitForRoom() {
	room := await(&s.room)
	s.mu.Unlock()
	stalled := !s.keep.waiting.wait(room)
	s.mu.Lock()
	s.stalled = stalled
}

// await gives a channel that the next signal closes. The lock is held.
func await(ch *chan struct{}) chan struct{} {
	if *ch == nil {
		*ch = make(chan struct{})
	}
	return *ch
}

// signal wakes who waits. The lock is held.
func signal(ch *chan struct{}) {
	if *ch != nil {
		close(*ch)
		*ch = nil
	}
}

// follow counts a new follower.
func (s *stream) follow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers++
	if s.count != nil {
		s.count.Add(1)
	}
}

func (s *stream) unfollow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count != nil {
		s.count.Add(-1)
	}
	if s.followers--; s.followers == 0 {
		s.advance(s.head)
		s.release(s.head)
		signal(&s.room)
	}
}

// take gives the frames from a cursor on, and the cursor behind them. behind says that
// the cursor fell off the log.
func (s *stream) take(cursor uint64) (frames []Frame, _ uint64, behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cursor < s.tail {
		return nil, cursor, true
	}
	for ; cursor < s.head; cursor++ {
		frames = append(frames, s.at(cursor))
	}
	s.leadTo(cursor)
	return frames, cursor, false
}

// leadTo notes that a follower got to a cursor, and wakes who waits for the fastest.
func (s *stream) leadTo(cursor uint64) {
	if s.lead < cursor {
		s.advance(min(cursor, s.head))
		s.stalled = false
		signal(&s.room)
	}
}

// next appends the frames from a cursor on to buf, up to about a chunk of
// bytes, and gives the new cursor. Without any, news is closed when one comes.
// behind says that the cursor fell off the log.
func (s *stream) next(buf []byte, cursor uint64) (_ []byte, _ uint64, news chan struct{}, behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cursor < s.tail {
		return buf, cursor, nil, true
	}
	if cursor >= s.head { // a new follower may be ahead of what has come here
		return buf, cursor, await(&s.news), false
	}
	buf, cursor = s.join(buf, cursor, s.head, chunk)
	s.leadTo(cursor)
	return buf, cursor, nil, false
}

// expire forgets frames that are older than so many ticks. What has frames then
// is looked at again at the next tick. It gives the bytes that are left.
func (s *stream) expire(now, age tick) (bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	upTo := s.expired(now, age)
	s.advance(upTo)
	s.release(upTo)
	if s.kept = s.tail < s.head; s.kept {
		s.keep.add(s)
	} else {
		s.rest()
	}
	return s.bytes
}

// catchUp gives the cursor of a follower that goes on with what is newest, and
// how many frames it misses.
func (s *stream) catchUp(cursor uint64) (_, missed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.head)
	return s.head, s.head - cursor
}

// behind tells whether a cursor fell off the log.
func (s *stream) behind(cursor uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cursor < s.tail
}
