package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// reportWithin is how soon a sender is told that its command failed: a second, and some time for
// transit. The delay of a busy machine is measured and added.
const reportWithin = 1200 * time.Millisecond

// reportAtMost is how soon every sender is told, also when the broker or another program had a
// stall that this process does not measure. One in lateOf may be told later than reportWithin.
const (
	reportAtMost = 5 * time.Second
	lateOf       = 200
)

// Every command has exactly one end. Without an error envelope it was confirmed: then the
// actor has it, once. With one, it never reaches the actor, unless the envelope says that
// this is unknown. A confirmed command may be received late here: unlike an actor's queue,
// the recorder's keeps it while the broker is away.
func TestEveryCommandHasExactlyOneEndThroughWhateverTheBrokerDoes(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	b := linked(t, n.URL(), bridge.Hurried)
	machine := measureLag(t)
	actor := record(t, n.URL(), "x")
	g := startLoad(t, b.addr, "x", 20, 100*time.Millisecond)
	quiet := func() {
		g.enter("quiet")
		actor.awaitMore(t, 300)
	}
	quiet()
	g.enter("restart")
	n.Restart(t)
	b.awaitUp(t)
	quiet()
	g.enter("power cut")
	n.Kill(t)
	n.Start(t)
	b.awaitUp(t)
	quiet()
	g.enter("connections killed")
	n.CloseConnections(t)
	b.awaitUp(t)
	quiet()
	// The disturbances differ in their length: in the first the connections hold, in the
	// second they break.
	for _, stall := range []time.Duration{3 * time.Second, 20 * time.Second} {
		g.enter("stalled for " + stall.String())
		n.Pause(t)
		<-time.After(stall)
		n.Resume(t)
		quiet()
	}
	g.enter("memory alarm")
	n.SetMemoryAlarm(t, true)
	g.awaitText(t, "blocks publishers")
	<-time.After(3 * time.Second) // again
	n.SetMemoryAlarm(t, false)
	quiet()

	g.stopSending()
	// After the last command of each client, nothing can still be in transit.
	g.enter("last")
	for _, c := range g.list {
		c.command(t, g)
		c.command(t, g) // one of the two has a consumer
	}
	actor.await(t, "the last commands", func(got map[string]*received) bool {
		return !slices.ContainsFunc(g.list, func(c *commander) bool { return got[c.last()] == nil })
	})
	g.awaitNobody(t)
	g.settle(t)
	g.leave()
	checkOutcomes(t, g, actor, machine)
}

// last returns the id of the client's last command that has a consumer.
func (c *commander) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.commands[len(c.commands)-1]
	if s.nobody {
		s = c.commands[len(c.commands)-2]
	}
	return s.id
}

// awaitNobody waits until every sender was told that its last command without a consumer failed:
// that failed reply goes through the broker.
func (g *loadClients) awaitNobody(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "commands to nobody fail", func() error {
		for _, c := range g.list {
			c.mu.Lock()
			i := slices.IndexFunc(c.commands, func(s *sentCommand) bool { return s.nobody && len(s.errors) == 0 })
			c.mu.Unlock()
			if i >= 0 {
				return fmt.Errorf("client %s knows nothing of its command %d", c.name, i)
			}
		}
		return nil
	})
}

// awaitText waits until a sender was told these words.
func (g *loadClients) awaitText(t *testing.T, words string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "a sender is told: "+words, func() error {
		for _, c := range g.list {
			c.mu.Lock()
			for _, s := range c.commands {
				if slices.ContainsFunc(s.errors, func(text string) bool { return strings.Contains(text, words) }) {
					c.mu.Unlock()
					return nil
				}
			}
			c.mu.Unlock()
		}
		return fmt.Errorf("nobody was")
	})
}

// checkOutcomes compares each command's end, as its sender was told it, with what the actor received.
func checkOutcomes(t *testing.T, g *loadClients, actor *recorder, machine *lag) {
	t.Helper()
	table := outcomeTable{}
	known, faults, failed, late := 0, 0, 0, 0
	for _, c := range g.list {
		place := -1
		for _, s := range c.commands {
			got := actor.commands[s.id]
			if got != nil {
				known++
				if got.place < place {
					t.Errorf("%s overtook an older command of the same client", s.id)
				}
				place = got.place
			}
			table.add(s, got)
			if len(s.errors) > 0 {
				failed++
			}
			if s.toldAfter(reportWithin, machine) {
				late++
			}
			if fault := s.fault(got, machine); fault != "" {
				if faults++; faults > 20 {
					continue // enough to see; the table has the rest
				}
				t.Errorf("%s, sent during %q, %s", s.id, s.phase, fault)
			}
		}
	}
	if known != len(actor.commands) {
		t.Errorf("the actor received %d commands, of which %d were sent", len(actor.commands), known)
	}
	table.log(t)
	if late*lateOf > failed {
		t.Errorf("of %d commands that failed, the senders of %d were not told within %v", failed, late, reportWithin)
	}
	if faults > 0 {
		t.Errorf("%d commands did not end as they should", faults)
	}
}

// fault returns what is wrong with a command's outcome, or "".
func (s *sentCommand) fault(got *received, machine *lag) string {
	switch {
	case len(s.errors) > 1:
		return fmt.Sprintf("ended %d times: %q", len(s.errors), s.errors)
	case got != nil && got.times > 1:
		return fmt.Sprintf("reached the actor %d times", got.times)
	case len(s.errors) == 0 && got == nil:
		return "was lost in silence"
	case got != nil && s.nobody:
		return "reached the actor, but was for nobody"
	case len(s.errors) == 0:
		return ""
	case got != nil && !s.unknown():
		return fmt.Sprintf("reached the actor although its sender was told %q", s.errors[0])
	case s.toldAfter(reportAtMost, machine):
		return fmt.Sprintf("failed %v after it was sent: %q", s.told.Sub(s.sent), s.errors[0])
	}
	return ""
}

// toldAfter reports whether the sender was told later of its command's failure, by more than the
// machine is late.
func (s *sentCommand) toldAfter(d time.Duration, machine *lag) bool {
	return len(s.errors) > 0 && s.told.Sub(s.sent) > d+machine.between(s.sent, s.told)
}

// unknown reports whether the sender was told that the outcome is unknown.
func (s *sentCommand) unknown() bool {
	return len(s.errors) > 0 && strings.Contains(s.errors[0], "It is unknown whether the command reached the actor")
}

// outcomeTable counts commands by phase and outcome.
type outcomeTable map[[2]string]*outcomeCount

type outcomeCount struct {
	count   int
	slowest time.Duration // until the sender was told
	late    time.Duration // the longest from sent to received
}

func (y outcomeTable) add(s *sentCommand, got *received) {
	outcome := "confirmed"
	switch {
	case s.unknown() && got != nil:
		outcome = "unknown, and received"
	case s.unknown():
		outcome = "unknown, not received"
	case len(s.errors) > 0:
		outcome, _, _ = strings.Cut(s.errors[0], ";")
	}
	key := [2]string{s.phase, outcome}
	if y[key] == nil {
		y[key] = &outcomeCount{}
	}
	y[key].count++
	if len(s.errors) > 0 {
		y[key].slowest = max(y[key].slowest, s.told.Sub(s.sent))
	}
	if got != nil {
		y[key].late = max(y[key].late, got.at.Sub(s.sent))
	}
}

func (y outcomeTable) log(t *testing.T) {
	var lines []string
	for key, v := range y {
		line := fmt.Sprintf("%-20s %5d  %s", key[0], v.count, key[1])
		if v.slowest > 0 {
			line += fmt.Sprintf("; told within %v", v.slowest.Round(time.Millisecond))
		}
		if v.late > 0 {
			line += fmt.Sprintf("; received within %v", v.late.Round(time.Millisecond))
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	t.Logf("commands by what happened when they were sent, and their ends:\n%s", strings.Join(lines, "\n"))
}
