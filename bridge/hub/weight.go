package hub

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// A set of subscriptions counts as one group, plus one for each weightBytes that its
// filters and rooms take.
const (
	weightBytes = 16 << 10
	placeBytes  = 64 // for a room, and for each room above it
)

// weight returns how many groups a client's subscriptions count as.
func weight(subs []subscription) int {
	bytes := 0
	for i := range subs {
		_, n := subs[i].spec.filterCost()
		bytes += n
		for _, path := range subs[i].spec.Rooms {
			bytes += len(path) + placeBytes*len(slices.Collect(rooms.Upwards(path)))
		}
	}
	return 1 + bytes/weightBytes
}
