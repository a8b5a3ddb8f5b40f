package history

// chunkWords is how many words of bits a chunk has: with its head it takes 256 bytes.
const (
	chunkWords = 28
	chunkBytes = 256
	slabChunks = 1024
)

// chunk is a part of a column: some adjacent points of a series in the order in which they were
// noted. It can be decoded on its own. It has no pointers, so that the garbage collector need not
// look at tens of thousands of them.
type chunk struct {
	next  uint32 // the following chunk of the column; 0 is none
	bits  uint16 // how many are in use
	n     uint16 // points
	first int64  // the time of the first point
	last  int64  // the latest time of a point
	rices [4]rice
	words [chunkWords]uint64
}

// arena holds the chunks of all series. Chunk 0 is none.
type arena struct {
	slabs []*[slabChunks]chunk
	free  uint32             // a list by chunk.next
	next  uint32             // the first that was never used
	short [longestState]byte // for a text that is too long
	// evicted counts the chunks that were dropped for want of memory.
	evicted uint64
}

func newArena() arena { return arena{next: 1} }

func (a *arena) at(i uint32) *chunk { return &a.slabs[i/slabChunks][i%slabChunks] }

// take returns an empty chunk.
func (a *arena) take() (uint32, *chunk) {
	i := a.free
	if i != 0 {
		c := a.at(i)
		a.free = c.next
		*c = chunk{}
		return i, c
	}
	i = a.next
	if int(i/slabChunks) == len(a.slabs) {
		a.slabs = append(a.slabs, new([slabChunks]chunk))
	}
	a.next++
	return i, a.at(i)
}

func (a *arena) give(i uint32) {
	a.at(i).next = a.free
	a.free = i
}

// column is a list of chunks, oldest first.
type column struct {
	head, tail uint32
	chunks     int
	since      int64 // what it had before this time may have been dropped; 0 is nothing
	lost       int64 // the same for want of memory
}

// maxChunks bounds a column, so that a query copies it in a moment: 256 KiB.
const maxChunks = 1024

// extend appends an empty chunk whose first point has a time.
func (c *column) extend(a *arena, first int64) *chunk {
	i, fresh := a.take()
	fresh.first, fresh.last = first, first
	if c.tail == 0 {
		c.head = i
	} else {
		a.at(c.tail).next = i
	}
	c.tail = i
	c.chunks++
	return fresh
}

// expire drops the chunks that are not needed to know the values since a time: one that ends before
// it, and whose successor begins before it. If times are out of order, it stays longer.
func (c *column) expire(a *arena, horizon int64) {
	for c.chunks > 1 {
		if head := a.at(c.head); head.last >= horizon || a.at(head.next).first > horizon {
			return
		}
		c.drop(a)
	}
}

// evict drops the oldest chunk for want of memory.
func (c *column) evict(a *arena) {
	c.drop(a)
	c.lost = c.since
	a.evicted++
}

func (c *column) drop(a *arena) {
	i := c.head
	c.since = max(c.since, a.at(i).last+1)
	c.head = a.at(i).next
	a.give(i)
	if c.chunks--; c.chunks > 0 {
		c.since = max(c.since, a.at(c.head).first) // the value that held before it is gone
	}
}

// clear drops all chunks.
func (c *column) clear(a *arena) {
	for c.chunks > 0 {
		c.drop(a)
	}
	*c = column{}
}

// prepend moves the chunks of an older column in front. If the column has lost its own first chunks
// meanwhile, the older ones are dropped: there would be a hole between them.
func (c *column) prepend(a *arena, older *column) {
	if c.since > 0 {
		older.clear(a)
		return
	}
	if older.chunks > 0 {
		if c.chunks == 0 {
			c.tail = older.tail
		} else {
			a.at(older.tail).next = c.head
		}
		c.head = older.head
		c.chunks += older.chunks
	}
	c.since, c.lost = max(c.since, older.since), max(c.lost, older.lost)
	*older = column{}
	for c.chunks > maxChunks {
		c.evict(a)
	}
}

// copyTo appends copies of the chunks.
func (c *column) copyTo(a *arena, dst []chunk) []chunk {
	for i, left := c.head, c.chunks; left > 0; left-- {
		dst = append(dst, *a.at(i))
		i = a.at(i).next
	}
	return dst
}
