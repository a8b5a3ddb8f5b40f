package broker

import "slices"

// window is a slice that is eaten from the front: what was taken leaves room there, which is reused
// before the slice grows.
type window[T any] struct {
	items []T
	head  int
}

// keepWindow is the capacity kept when a window runs empty; more is left over from a burst.
const keepWindow = 4096

func (w *window[T]) len() int  { return len(w.items) - w.head }
func (w *window[T]) live() []T { return w.items[w.head:] }

func (w *window[T]) push(v T) {
	if len(w.items) == cap(w.items) && w.head > len(w.items)/2 {
		n := copy(w.items, w.live())
		clear(w.items[n:])
		w.items, w.head = w.items[:n], 0
	}
	w.items = append(w.items, v)
}

// pop takes the first item; there must be one.
func (w *window[T]) pop() T {
	v := w.items[w.head]
	w.remove(0, 1)
	return v
}

// remove takes out the live items from lo up to hi.
func (w *window[T]) remove(lo, hi int) {
	if lo > 0 {
		w.items = slices.Delete(w.items, w.head+lo, w.head+hi)
		return
	}
	clear(w.items[w.head : w.head+hi])
	w.head += hi
	if w.head == len(w.items) {
		w.items, w.head = w.items[:0], 0
		if cap(w.items) > keepWindow {
			w.items = nil
		}
	}
}

// insert puts v in front of the live item at. Near the front it costs little.
func (w *window[T]) insert(at int, v T) {
	if w.head == 0 {
		w.items = slices.Insert(w.items, at, v)
		return
	}
	copy(w.items[w.head-1:], w.live()[:at])
	w.head--
	w.items[w.head+at] = v
}
