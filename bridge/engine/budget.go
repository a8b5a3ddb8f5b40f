package engine

import "fmt"

// burst is for how many seconds' worth of messages a quiet client may save up.
const burst = 10

// budget bounds one client's messages: so many a second, and a burst.
type budget struct {
	left int32
	at   tick
}

// full is the budget of a client that has just come.
func fullBudget(rate int, now tick) budget { return budget{int32(rate * burst), now} }

// take uses one message of the budget. It is false when none is left.
func (b *budget) take(rate int, now tick) bool {
	if now != b.at {
		const ticksPerSecond = int(second / tickLength)
		earned := int(now-b.at) * rate / ticksPerSecond
		b.left = int32(min(int(b.left)+earned, rate*burst))
		b.at = now
	}
	if b.left <= 0 {
		return false
	}
	b.left--
	return true
}

func tooManyMessages(rate int) string {
	return fmt.Sprintf("too many messages: more than %d a second", rate)
}
