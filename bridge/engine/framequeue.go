package engine

// frameQueue holds the frames that a log keeps, in a circular buffer that grows as needed.
// Sequence numbers count from the first frame ever appended.
type frameQueue struct {
	frames     []Frame   // circular; its length is a power of two
	tail, head uint64    // the oldest frame kept, and the next to be appended
	bytes      int       // of the frames kept
	marks      []ageMark // where the head was at past ticks, the oldest first
}

// minFrameQueue is the minimum capacity of a frameQueue.
const minFrameQueue = 16

// ageMark records where the head was at a tick.
type ageMark struct {
	tick tick
	head uint64
}

// expiredBefore records the head at this tick, and returns the sequence number before which
// frames are older than so many ticks.
func (w *frameQueue) expiredBefore(now, age tick) (upTo uint64) {
	if n := len(w.marks); w.tail < w.head && (n == 0 || w.marks[n-1].head < w.head) {
		w.marks = append(w.marks, ageMark{now, w.head})
	}
	old := 0
	for old < len(w.marks) && (now-w.marks[old].tick >= age || w.marks[old].head <= w.tail) {
		upTo = w.marks[old].head
		old++
	}
	w.marks = append(w.marks[:0], w.marks[old:]...)
	return upTo
}

func (w *frameQueue) at(seq uint64) Frame { return w.frames[seq&uint64(len(w.frames)-1)] }

func (w *frameQueue) push(f Frame) {
	if w.head-w.tail == uint64(len(w.frames)) {
		w.grow()
	}
	w.frames[w.head&uint64(len(w.frames)-1)] = f
	w.head++
	w.bytes += len(f)
}

func (w *frameQueue) grow() {
	bigger := make([]Frame, max(minFrameQueue, 2*len(w.frames)))
	for seq := w.tail; seq < w.head; seq++ {
		bigger[seq&uint64(len(bigger)-1)] = w.at(seq)
	}
	w.frames = bigger
}

// drop drops the oldest frame.
func (w *frameQueue) drop() {
	slot := w.tail & uint64(len(w.frames)-1)
	w.bytes -= len(w.frames[slot])
	w.frames[slot] = nil
	w.tail++
}

// release drops the frames before a sequence number.
func (w *frameQueue) release(upTo uint64) {
	for w.tail < upTo {
		w.drop()
	}
	if w.tail == w.head && len(w.frames) > 1024 {
		w.frames = nil // a burst is over: free its buffer
	}
}

// join appends frames to buf, from seq up to upTo and to about a chunk. It returns the
// sequence number after them.
func (w *frameQueue) join(buf []byte, seq, upTo uint64, chunk int) ([]byte, uint64) {
	for seq < upTo && (len(buf) == 0 || len(buf)+len(w.at(seq)) <= chunk) {
		buf = append(buf, w.at(seq)...)
		seq++
	}
	return buf, seq
}
