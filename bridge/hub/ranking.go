package hub

import "container/heap"

// rank is an item's place in a ranking.
type rank struct {
	count int // the sort key
	at    int
}

func (r *rank) ranked() *rank { return r }

// ranking is a heap of items: the first has the highest count. A change takes time
// logarithmic in their number.
type ranking[T interface{ ranked() *rank }] []T

// change adds to the count of an item.
func (r *ranking[T]) change(t T, by int) {
	t.ranked().count += by
	heap.Fix((*rankingHeap[T])(r), t.ranked().at)
}

func (r *ranking[T]) add(t T)    { heap.Push((*rankingHeap[T])(r), t) }
func (r *ranking[T]) remove(t T) { heap.Remove((*rankingHeap[T])(r), t.ranked().at) }

// rankingHeap implements heap.Interface for a ranking.
type rankingHeap[T interface{ ranked() *rank }] []T

func (h rankingHeap[T]) Len() int           { return len(h) }
func (h rankingHeap[T]) Less(i, k int) bool { return h[i].ranked().count > h[k].ranked().count }

func (h rankingHeap[T]) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].ranked().at, h[k].ranked().at = i, k
}

func (h *rankingHeap[T]) Push(v any) {
	t := v.(T)
	t.ranked().at = len(*h)
	*h = append(*h, t)
}

func (h *rankingHeap[T]) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	clear((*h)[last:])
	*h = (*h)[:last]
	return t
}
