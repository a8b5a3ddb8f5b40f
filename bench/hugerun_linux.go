package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// bridgesFor returns how many bridges can serve the clients even after one of them was killed.
func bridgesFor(clients, atLeast int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	room := int(min(limit.Max, 1<<30)) - bridgeFiles
	// The kernel distributes clients at random, so shares differ.
	room -= room / 50
	if room < 1 {
		return 0, fmt.Errorf("a limit of %d open files is too low", limit.Max)
	}
	return max(atLeast, (clients+room-1)/room+1), nil
}

func (h *hugeRun) start(ctx context.Context) error {
	n, err := bridgesFor(h.size.HugeClients, h.size.HugeBridges)
	if err != nil {
		return err
	}
	port := "0"
	for range n {
		t, err := h.serverAt(ctx, h.brokerURL, "--port", port, "--reuse-port", "--shed-rate", strconv.Itoa(hugeShedRate))
		if err != nil {
			return err
		}
		h.bridges = append(h.bridges, t)
		port = strconv.Itoa(int(t.addr.Port()))
	}
	share := (h.size.HugeClients + n - 1) / n
	for i := range n {
		c, err := startChild("a worker", h.cfg.Program, "bench", "worker", h.bridges[0].addr.String(), strconv.Itoa(i*share))
		if err != nil {
			return err
		}
		h.workers = append(h.workers, c)
	}
	return nil
}

func (h *hugeRun) stop() {
	for _, c := range h.workers {
		c.stop()
	}
	for _, t := range h.bridges {
		t.stop()
	}
}

// memory returns the RSS of all bridges after they were idle for a while.
func (h *hugeRun) memory(ctx context.Context) (sum int64, err error) {
	select {
	case <-time.After(h.size.Settle):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for _, t := range h.bridges {
		rss, err := h.proc.rss(t.pid)
		if err != nil {
			return 0, err
		}
		sum += rss
	}
	return sum, nil
}

// cpu returns the CPU time of all bridges that are alive.
func (h *hugeRun) cpu() (sum time.Duration, err error) {
	for _, t := range h.bridges {
		select {
		case <-t.done:
			continue
		default:
		}
		used, err := h.proc.cpu(t.pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}
