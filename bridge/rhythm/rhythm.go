package rhythm

import (
	"slices"
	"time"
)

// Rhythm finds how often an actor usually broadcasts, in constant memory. Many actors broadcast
// several replies at once, a burst, and then pause. So the rhythm is not the median of the spaces
// between replies but the space in which half of the time passes. The longest space does not count:
// the actor may have been restarted.
type Rhythm struct {
	spaces [rhythmSpaces]uint32 // in milliseconds; a ring
	count  uint8                // how many of them there are
	next   uint8
	skip   bool  // see Skip
	beat   int64 // when the last burst began, in milliseconds since 1970; 0 before the first
	is     uint32
	told   uint32 // what it was when it last changed noticeably
}

const (
	rhythmSpaces = 16
	minSpaces    = 4   // of which a rhythm is made
	minTimes     = 3   // how many of them must be about as long as it
	burst        = 100 // milliseconds from its beginning within which replies are one burst
	maxSpace     = uint32(time.Hour / time.Millisecond)
)

// Note takes a broadcast, and reports whether the rhythm has changed noticeably.
func (r *Rhythm) Note(at time.Time) (changed bool) {
	now := at.UnixMilli()
	space := now - r.beat
	if r.beat != 0 && space >= 0 && space < burst {
		return false
	}
	first := r.beat == 0 || r.skip || space < 0
	r.beat, r.skip = now, false
	if first {
		return false
	}
	r.spaces[r.next] = uint32(min(space, int64(maxSpace)))
	r.next = (r.next + 1) % rhythmSpaces
	r.count = min(r.count+1, rhythmSpaces)
	r.is = r.usual()
	if r.is == r.told || r.is != 0 && r.told != 0 && 4*max(r.is, r.told) <= 4*min(r.is, r.told)+r.told {
		return false
	}
	r.told = r.is
	return true
}

// Skip says that replies may be missing here: the space before the next broadcast does not count.
func (r *Rhythm) Skip() { r.skip = true }

// usual returns the rhythm in milliseconds, or 0 without one: events that come at random are in no
// rhythm. Of an actor that broadcasts about every second, nearly all of the time passes in spaces
// of about a second; of random events, it passes in spaces of every length.
func (r *Rhythm) usual() uint32 {
	if r.count < minSpaces {
		return 0
	}
	sorted := r.spaces
	all := sorted[:r.count]
	slices.Sort(all)
	all = all[:r.count-1]
	total := uint64(0)
	for _, space := range all {
		total += uint64(space)
	}
	usual, passed := uint32(0), uint64(0)
	for _, space := range all {
		if passed += uint64(space); 2*passed >= total {
			usual = space
			break
		}
	}
	near, times := uint64(0), 0
	for _, space := range all {
		if 3*uint64(space) >= 2*uint64(usual) && 2*uint64(space) <= 3*uint64(usual) {
			near += uint64(space)
			times++
		}
	}
	if times < minTimes || usual >= maxSpace {
		return 0
	}
	// It takes more to find a rhythm than to keep one, so that it does not come and go.
	if 5*near < 3*total || r.is == 0 && 20*near < 17*total {
		return 0
	}
	return usual
}

// Interval returns how often the actor usually broadcasts, to the millisecond; 0 if that is not
// known, or it has no rhythm.
func (r *Rhythm) Interval() time.Duration { return time.Duration(r.is) * time.Millisecond }

// minSilence is the shortest time after which an actor counts as silent.
const minSilence = 5 * time.Second

// SilentAfter returns how long nothing is heard of an actor in a rhythm until it counts as silent.
func SilentAfter(interval time.Duration) time.Duration { return max(minSilence, 4*interval) }
