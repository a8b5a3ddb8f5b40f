package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// holder is a part of the clients that are too many for the open files of one process.
type holder struct {
	swarm   *swarm
	clients *crowd
	later   *crowd // takes the place of clients that were lost
	base    int64  // the monotonic clock of the system when the swarm's was 0
}

// held is what a holder says of its clients.
type held struct {
	Open    int            // that are connected
	Lost    int            // that the server, or its end, disconnected
	Behind  int            // that do not have everything
	Gone    int            // of these, those that are not connected any more
	Replies int            // that came, in all
	Faults  Faults         //
	Ended   map[string]int // lost clients, by reason
	// Last is when the last client got each of the expected replies, on the monotonic
	// clock of the system in nanoseconds; 0 is never.
	Last []int64
}

// monotonic is the system's clock that all processes share, in nanoseconds.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("bench: clock_gettime: " + err.Error())
	}
	return ts.Nano()
}

// Hold holds clients of a server in a process of its own. It takes commands from
// stdin, one a line, and answers each with a line of JSON:
//
//	connect N       connect N clients
//	recover         connect another client for each that is lost from now on
//	settle          do so no longer
//	expect FIRST N  expect N replies from number FIRST on, on all that are connected
//	await MS        wait for them at most so many milliseconds
//	count           say how many clients are connected
//
// The clients are those from place on of all processes'. It ends with stdin, or with
// the context.
func Hold(ctx context.Context, addr string, place int, stdin io.Reader, stdout io.Writer) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	s, err := newSwarm()
	if err != nil {
		return err
	}
	defer s.close()
	dial := dialer{to: to, path: "/", host: addr, from: place}
	h := &holder{swarm: s, clients: newCrowd(s, dial), later: newCrowd(s, dial)}
	h.later.late = true
	h.base = monotonic() - s.clock()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(stdin); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			answer, err := h.obey(ctx, line)
			if err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			if err := json.NewEncoder(stdout).Encode(answer); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *holder) obey(ctx context.Context, line string) (*held, error) {
	var command string
	var a, b int
	_, _ = fmt.Sscan(line, &command, &a, &b) // few commands have both numbers
	switch command {
	case "connect":
		if _, err := h.clients.connect(ctx, a); err != nil {
			return nil, err
		}
	case "recover":
		h.swarm.call(func() {
			h.clients.successor, h.later.retries = h.later, 10*len(h.clients.clients)
		})
	case "settle":
		h.swarm.call(func() { h.clients.successor = nil })
		for _, cr := range h.crowds() {
			cr.forget()
		}
	case "expect":
		for _, cr := range h.crowds() {
			cr.forget()
			cr.expect(uint64(a), b, nil)
			cr.timeLast()
		}
	case "await":
		until := time.Now().Add(time.Duration(a) * time.Millisecond)
		for _, cr := range h.crowds() {
			if _, err := cr.await(ctx, time.Until(until)); err != nil {
				return nil, err
			}
		}
	case "count":
	default:
		return nil, fmt.Errorf("no such command")
	}
	return h.say(), nil
}

func (h *holder) crowds() []*crowd { return []*crowd{h.clients, h.later} }

// say sums up both crowds.
func (h *holder) say() *held {
	sum := &held{Ended: map[string]int{}}
	h.swarm.call(func() {
		for _, cr := range h.crowds() {
			k := &cr.checker
			sum.add(&held{Open: cr.open, Behind: cr.behind, Gone: cr.gone, Replies: k.replies, Faults: k.faults, Ended: cr.ended,
				Last: k.last})
		}
	})
	for i, at := range sum.Last {
		if at != 0 {
			sum.Last[i] = at + h.base
		}
	}
	return sum
}

// add adds what another says.
func (a *held) add(b *held) {
	a.Open += b.Open
	a.Behind += b.Behind
	a.Gone += b.Gone
	a.Replies += b.Replies
	a.Faults.Lost += b.Faults.Lost
	a.Faults.Doubled += b.Faults.Doubled
	a.Faults.Disordered += b.Faults.Disordered
	a.Faults.Misled += b.Faults.Misled
	for why, n := range maps.All(b.Ended) {
		a.Ended[why] += n
		a.Lost += n
	}
	for len(a.Last) < len(b.Last) {
		a.Last = append(a.Last, 0)
	}
	for i, at := range b.Last {
		a.Last[i] = max(a.Last[i], at)
	}
}
