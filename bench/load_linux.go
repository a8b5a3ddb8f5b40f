package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// LoadConfig says what [Load] connects to, and for how long.
type LoadConfig struct {
	// URL is ws://host:port/path.
	URL string
	// Clients is how many clients connect.
	Clients int
	// Duration is how long they stay; 0 is until the context ends.
	Duration time.Duration
	// Stdout gets a line each second.
	Stdout io.Writer
}

// Load connects clients to a running server, reads what it sends and prints the rates. Replies with a number of this
// package are checked; the error says what was wrong with them, or which clients the server ended.
func Load(ctx context.Context, cfg LoadConfig) error {
	dial, err := parseTarget(ctx, cfg.URL)
	if err != nil {
		return err
	}
	if cfg.Clients < 1 {
		return fmt.Errorf("the number of clients is %d; choose at least one", cfg.Clients)
	}
	if err := enoughFiles(cfg.Clients + otherFiles); err != nil {
		return err
	}
	s, err := newClientLoop()
	if err != nil {
		return err
	}
	defer s.close()
	set := newClientSet(s, dial)
	took, err := set.connect(ctx, cfg.Clients)
	if err != nil {
		return err
	}
	fmt.Fprintf(cfg.Stdout, "%d clients connected in %v\n", cfg.Clients, took.Round(time.Millisecond))
	if cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Duration)
		defer cancel()
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for last := set.counts(); ; {
		select {
		case <-ticker.C:
			now := set.counts()
			fmt.Fprintf(cfg.Stdout, "%s frames/s, %.1f MB/s, %d clients\n",
				grouped(now.frames-last.frames), float64(now.bytes-last.bytes)/1e6, now.open)
			last = now
		case <-ctx.Done():
			return set.counts().err(cfg.Clients)
		}
	}
}

// counts is what a set of clients has received so far.
type counts struct {
	frames, bytes, open int
	faults              faultCounts
	ended               map[string]int
}

func (set *clientSet) counts() (n counts) {
	set.loop.call(func() {
		k := &set.checker
		n = counts{frames: k.replies + k.unnumbered, bytes: k.bytes, faults: k.faults, open: set.open, ended: maps.Clone(set.ended)}
	})
	return n
}

func (n counts) err(clients int) error {
	a := receiveResult{Clients: clients, Faults: n.faults, Ended: n.ended}
	return a.err()
}

// parseTarget parses a ws:// URL and looks the host up.
func parseTarget(ctx context.Context, raw string) (dialer, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "ws" || u.Host == "" {
		return dialer{}, fmt.Errorf("%q is not the URL of a WebSocket server, such as ws://host:port/", raw)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return dialer{}, fmt.Errorf("%s: %w", raw, err)
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(addrs[0].Unmap().String(), port))
	if err != nil {
		return dialer{}, fmt.Errorf("%s: %w", raw, err)
	}
	return dialer{to: to, path: u.RequestURI(), host: u.Host}, nil
}
