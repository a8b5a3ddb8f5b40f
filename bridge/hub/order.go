package hub

// maxOrderKeys bounds the order keys that one subscription remembers. Replies with further
// keys are delivered.
const maxOrderKeys = 10_000

// orderMarks holds the highest order delivered for each order key. Ordered subscriptions
// leave out older replies.
type orderMarks map[string]int64

// stale reports whether a reply with the same key and a higher order was delivered.
func (o orderMarks) stale(r *Reply) bool {
	last, ok := o[r.OrderKey]
	return r.Ordered && ok && r.Order < last
}

// note records that a reply was delivered.
func (o *orderMarks) note(r *Reply) {
	if r.Ordered {
		o.advance(r.OrderKey, r.Order)
	}
}

// advance records that an order of a key was delivered.
func (o *orderMarks) advance(key string, order int64) {
	if *o == nil {
		*o = orderMarks{}
	}
	if last, known := (*o)[key]; known && order > last || !known && len(*o) < maxOrderKeys {
		(*o)[key] = order
	}
}
