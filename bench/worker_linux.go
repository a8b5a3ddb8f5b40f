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

// worker connects a part of clients that are too many for the open files of one process.
type worker struct {
	loop         *clientLoop
	clients      *clientSet
	replacements *clientSet // replaces clients that were lost
	clockOffset  int64      // the system's monotonic clock when the loop's was 0
}

// workerStatus is what a worker reports about its clients.
type workerStatus struct {
	Open         int // clients that are connected
	Lost         int // clients that the server, or its end, disconnected
	Incomplete   int // clients that do not have everything
	Disconnected int // those of them that are not connected any more
	Replies      int // received by all clients together
	Faults       faultCounts
	Ended        map[string]int // lost clients, by reason
	// Last is when the last client got each of the expected replies, on the system's monotonic clock in nanoseconds;
	// 0 is never.
	Last []int64
}

// monotonic returns the system's monotonic clock, which all processes share, in nanoseconds.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("bench: clock_gettime: " + err.Error())
	}
	return ts.Nano()
}

// Worker connects clients to a server, in a process of its own. It reads commands from stdin, one a line, and answers each
// with a line of JSON:
//
//	connect N       connect N clients
//	recover         connect another client for each that is lost from now on
//	settle          stop doing so
//	expect FIRST N  expect N replies from number FIRST on, on all connected clients
//	await MS        wait for them, for at most MS milliseconds
//	count           report how many clients are connected
//
// Its first client has the index place among those of all processes. It ends with stdin, or with the context.
func Worker(ctx context.Context, addr string, place int, stdin io.Reader, stdout io.Writer) error {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	s, err := newClientLoop()
	if err != nil {
		return err
	}
	defer s.close()
	dial := dialer{to: to, path: "/", host: addr, firstIndex: place}
	w := &worker{loop: s, clients: newClientSet(s, dial), replacements: newClientSet(s, dial)}
	w.replacements.lateJoiners = true
	w.clockOffset = monotonic() - s.clock()
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
			answer, err := w.execute(ctx, line)
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

func (w *worker) execute(ctx context.Context, line string) (*workerStatus, error) {
	var command string
	var a, b int
	_, _ = fmt.Sscan(line, &command, &a, &b) // few commands have both numbers
	switch command {
	case "connect":
		if _, err := w.clients.connect(ctx, a); err != nil {
			return nil, err
		}
	case "recover":
		w.loop.call(func() {
			w.clients.replacements, w.replacements.retries = w.replacements, 10*len(w.clients.clients)
		})
	case "settle":
		w.loop.call(func() { w.clients.replacements = nil })
		for _, set := range w.sets() {
			set.dropDisconnected()
		}
	case "expect":
		for _, set := range w.sets() {
			set.dropDisconnected()
			set.expect(uint64(a), b, nil)
			set.recordLast()
		}
	case "await":
		until := time.Now().Add(time.Duration(a) * time.Millisecond)
		for _, set := range w.sets() {
			if _, err := set.await(ctx, time.Until(until)); err != nil {
				return nil, err
			}
		}
	case "count":
	default:
		return nil, fmt.Errorf("there is no such command")
	}
	return w.status(), nil
}

func (w *worker) sets() []*clientSet { return []*clientSet{w.clients, w.replacements} }

// status sums up both sets.
func (w *worker) status() *workerStatus {
	sum := &workerStatus{Ended: map[string]int{}}
	w.loop.call(func() {
		for _, set := range w.sets() {
			k := &set.checker
			sum.add(&workerStatus{Open: set.open, Incomplete: set.pending, Disconnected: set.lost, Replies: k.replies, Faults: k.faults, Ended: set.ended,
				Last: k.lastArrival})
		}
	})
	for i, at := range sum.Last {
		if at != 0 {
			sum.Last[i] = at + w.clockOffset
		}
	}
	return sum
}

// add adds another status.
func (a *workerStatus) add(b *workerStatus) {
	a.Open += b.Open
	a.Incomplete += b.Incomplete
	a.Disconnected += b.Disconnected
	a.Replies += b.Replies
	a.Faults.Lost += b.Faults.Lost
	a.Faults.Duplicated += b.Faults.Duplicated
	a.Faults.OutOfOrder += b.Faults.OutOfOrder
	a.Faults.Misrouted += b.Faults.Misrouted
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
