package terminal

// rememberedReplies is how many replies are remembered as delivered. Subscriptions of one connection are never so
// far apart.
const rememberedReplies = 8192

// delivered remembers the last replies that were delivered, by their numbers.
type delivered struct {
	seen map[Since]struct{}
	ring []Since
	next int
}

// first reports whether a reply comes for the first time.
func (d *delivered) first(r *Reply) bool {
	id := Since{r.Epoch, r.Seq}
	if _, again := d.seen[id]; again {
		return false
	}
	if d.seen == nil {
		d.seen = make(map[Since]struct{}, rememberedReplies)
	}
	if len(d.ring) < rememberedReplies {
		d.ring = append(d.ring, id)
	} else {
		delete(d.seen, d.ring[d.next])
		d.ring[d.next] = id
		d.next = (d.next + 1) % rememberedReplies
	}
	d.seen[id] = struct{}{}
	return true
}
