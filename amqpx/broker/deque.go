package broker

import "slices"

// deque is a slice whose items are removed from the front. The space they leave is reused
// before the slice grows.
type deque[T any] struct {
	items []T
	head  int
}

// keepDeque is the largest capacity that is kept when a deque becomes empty.
const keepDeque = 4096

func (q *deque[T]) len() int  { return len(q.items) - q.head }
func (q *deque[T]) live() []T { return q.items[q.head:] }

func (q *deque[T]) push(v T) {
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		n := copy(q.items, q.live())
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

// pop removes and returns the first item. There must be one.
func (q *deque[T]) pop() T {
	v := q.items[q.head]
	q.remove(0, 1)
	return v
}

// remove removes the live items from lo up to hi.
func (q *deque[T]) remove(lo, hi int) {
	if lo > 0 {
		q.items = slices.Delete(q.items, q.head+lo, q.head+hi)
		return
	}
	clear(q.items[q.head : q.head+hi])
	q.head += hi
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > keepDeque {
			q.items = nil
		}
	}
}

// insert puts v in front of the live item at. Near the front it costs little.
func (q *deque[T]) insert(at int, v T) {
	if q.head == 0 {
		q.items = slices.Insert(q.items, at, v)
		return
	}
	copy(q.items[q.head-1:], q.live()[:at])
	q.head--
	q.items[q.head+at] = v
}
