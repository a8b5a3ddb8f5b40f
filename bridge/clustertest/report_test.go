//go:build cluster

package clustertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// finish ends the traffic, waits until the clients have received everything, and reports.
func (w *world) finish() {
	if len(w.windows) == 0 {
		return // it did not come so far
	}
	for _, p := range w.publishers {
		p.stop()
	}
	var stopping sync.WaitGroup
	for _, c := range w.commanders {
		stopping.Go(c.stop)
	}
	stopping.Wait()
	last := []int{w.publishers[0].lastAccepted(), w.publishers[1].lastAccepted()}
	err := w.within(recovery, func() error {
		for _, l := range w.listeners {
			if err := l.heardPast(last); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Errorf("in the end: not within %v: %v", recovery, err)
	}
	rows := make([]row, len(w.windows))
	for _, l := range w.listeners {
		w.checkListener(l, rows)
	}
	w.checkNumbers()
	faults := map[string][]string{}
	for i, c := range w.commanders {
		w.checkCommands(i, c, rows, faults)
	}
	for what, which := range faults {
		w.t.Errorf("%d commands %s:\n%s", len(which), what, strings.Join(which[:min(20, len(which))], "\n"))
	}
	w.print(rows)
}

// row counts what happened in a window.
type row struct {
	sent, confirmed    int
	nacked, returned   int
	received, inGaps   int // of the client with the least, and the most, of those that could resume
	lost               int // confirmed, not received, and in no gap that was told: of all clients
	doubled, disorder  int
	commands           map[string]int // by their ends
	neverRan, ranTwice int
	slowest            time.Duration // until an error came
}

// windowOf returns the window to which a number of a publisher or a commander belongs.
func windowOf(n int, first func(window) int, windows []window) int {
	i := len(windows) - 1
	for i > 0 && n < first(windows[i]) {
		i--
	}
	return i
}

// checkListener compares the replies that a client received with those confirmed.
func (w *world) checkListener(l *listener, rows []row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.thrown {
		w.t.Errorf("the client that %s lost its connection: %v", l.name, err)
	}
	ledger := newLedger(w.publishers, l.events)
	received, inGaps := make([]int, len(rows)), make([]int, len(rows))
	first := l == w.listeners[0]
	for p, publisher := range w.publishers {
		for n, f := range publisher.fates {
			i := windowOf(n, func(win window) int { return win.replies[p] }, w.windows)
			if first {
				rows[i].countSent(f)
			}
			switch ledger.enter(&rows[i], p, n, f) {
			case wasReceived:
				received[i]++
			case wasInGap:
				inGaps[i]++
			}
		}
	}
	for i := range rows {
		if l.restarts > 0 {
			break
		}
		r := &rows[i]
		if first || received[i] < r.received {
			r.received = received[i]
		}
		r.inGaps = max(r.inGaps, inGaps[i])
	}
	var gaps []string
	for _, g := range ledger.gaps {
		gaps = append(gaps, clock(g.from)+"-"+clock(g.to))
	}
	w.t.Logf("the client that %s resumed %d times, began anew %d times, and was told of %d gaps: %s", l.name, l.resumed, l.restarts, len(ledger.gaps), strings.Join(gaps, ", "))
	if w.durable.Stream != nil && l.restarts > 0 {
		w.t.Errorf("the client that %s could not resume %d times", l.name, l.restarts)
	}
	if ledger.faults > 0 {
		w.t.Errorf("the client that %s: %d faults:\n%s", l.name, ledger.faults, strings.Join(ledger.texts, "\n"))
	}
}

// countSent counts a reply that was sent.
func (r *row) countSent(f fate) {
	r.sent++
	r.nacked += count(f.nacked)
	r.returned += count(f.returned)
	r.confirmed += count(f.accepted)
}

// received is what happened to a reply at a client.
type received int

const (
	wasNotConfirmed received = iota // so it may be missing
	wasReceived
	wasInGap
	wasLost
)

// enter counts a publisher's reply in a row.
func (l *ledger) enter(r *row, p, n int, f fate) received {
	heard := &l.replies[p][n]
	if heard.doubled > 0 {
		r.doubled++
		l.fault("publisher %d's %d came again (sent %s)", p, n, clock(f.sent))
	}
	if !f.accepted {
		return wasNotConfirmed
	}
	if heard.late {
		r.disorder++
		l.fault("publisher %d's %d came too late (sent %s)", p, n, clock(f.sent))
	}
	switch {
	case heard.epoch > 0:
		return wasReceived
	case l.told(p, n, f):
		return wasInGap
	}
	r.lost++
	l.lost(p, n, f)
	return wasLost
}

// checkNumbers compares the numbers that the replies of a stream have at different clients.
func (w *world) checkNumbers() {
	if w.durable.Stream == nil {
		return
	}
	type id struct{ publisher, n int }
	seqs := map[id]uint64{}
	for _, l := range w.listeners {
		differ := 0
		for _, e := range l.events {
			if e.kind != aReply {
				continue
			}
			key := id{e.publisher, e.n}
			if seq, known := seqs[key]; known && seq != e.seq {
				differ++
			}
			seqs[key] = e.seq
		}
		if differ > 0 {
			w.t.Errorf("the client that %s: %d replies have other numbers than elsewhere", l.name, differ)
		}
	}
	w.t.Logf("%d replies have the same number at all clients", len(seqs))
}

// unsent are the ends of commands that no actor may have received.
var unsent = []string{"returned", "away", "blocked", "full", "expired", "gone", "in_use", "leaving", "invalid", "bad_request", "forbidden"}

// checkCommands compares how commands ended with what the actors did.
func (w *world) checkCommands(c int, from *commander, rows []row, faults map[string][]string) {
	for _, err := range from.thrown {
		w.t.Errorf("the commander %s: %v", from.name, err)
	}
	for n, cmd := range from.commands {
		r := &rows[windowOf(n, func(win window) int { return win.commands[c] }, w.windows)]
		runner := w.runner(from.consumers[n%len(from.consumers)])
		ran := runner.times(cmd.id)
		end := strings.Join(cmd.ends, "+")
		if r.commands == nil {
			r.commands = map[string]int{}
		}
		r.commands[end]++
		fault := func(what string) {
			faults[what] = append(faults[what], fmt.Sprintf("%s for %s: %q after %v, sent %s", cmd.id, runner.name, end, cmd.endedIn.Round(time.Millisecond), clock(cmd.sent)))
		}
		if len(cmd.ends) != 1 {
			fault("have not one end")
		}
		if ran > 1 {
			r.ranTwice++
			fault("ran more than once")
		}
		if ran > 0 && slices.Contains(unsent, end) {
			fault("ran, and should not have been sent")
		}
		if ran == 0 && end == endedDone {
			fault("are done, and never ran")
		}
		if ran == 0 && end == endedTimeout {
			r.neverRan++
			// It was confirmed. The actor's queue is exclusive, and is lost with its node or with
			// the actor's connection, whose end the actor may notice only two heartbeats later.
			if runner.link.down(cmd.sent.Add(-minorityFor), cmd.sent.Add(recovery)) == 0 {
				fault("were confirmed, and never ran although the actor was linked")
			}
		}
		if end != endedDone && end != endedTimeout {
			r.slowest = max(r.slowest, cmd.endedIn)
		}
	}
}

func (w *world) runner(name string) *runner {
	i := slices.IndexFunc(w.runners, func(r *runner) bool { return r.name == name })
	return w.runners[i]
}

// print writes the table.
func (w *world) print(rows []row) {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "event\tsent\tconfirmed\tnacked\treturned\treceived\tin gaps\tlost untold\tdoubled\tout of order\tdown east\tdown west\theard again\tran twice\tconfirmed, never ran\tslowest error\tcommands\t")
	var all row
	for i, r := range rows {
		win := w.windows[i]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t\n", win.name,
			r.sent, r.confirmed, r.nacked, r.returned, r.received, r.inGaps, r.lost, r.doubled, r.disorder,
			seconds(w.bridges[0].link.down(win.from, win.to)), seconds(w.bridges[1].link.down(win.from, win.to)), seconds(win.heard),
			r.ranTwice, r.neverRan, seconds(r.slowest), ends(r.commands))
		all.sent, all.confirmed, all.received = all.sent+r.sent, all.confirmed+r.confirmed, all.received+r.received
		all.nacked, all.returned = all.nacked+r.nacked, all.returned+r.returned
		all.inGaps, all.lost, all.doubled, all.disorder = all.inGaps+r.inGaps, all.lost+r.lost, all.doubled+r.doubled, all.disorder+r.disorder
	}
	fmt.Fprintf(table, "all\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\t\t\t\t\t\t\t\n", all.sent, all.confirmed, all.nacked, all.returned, all.received, all.inGaps, all.lost, all.doubled, all.disorder)
	table.Flush()
	w.t.Logf("RabbitMQ %s\n%s", w.cluster.Nodes[0].Version(), out.String())
}

func ends(counts map[string]int) string {
	var texts []string
	for _, end := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprintf("%d %s", counts[end], end))
	}
	return strings.Join(texts, ", ")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// clock returns a time of day as in the log.
func clock(at time.Time) string {
	if at.IsZero() {
		return "?"
	}
	return at.Format("15:04:05.000")
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}
