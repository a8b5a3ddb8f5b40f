package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// scraper reads the admin server's metrics, as Prometheus does.
type scraper struct{ client http.Client }

// scrapeEvery is the interval, long enough to cost the bridge almost nothing.
const scrapeEvery = 50 * time.Millisecond

// newScraper makes a scraper for a Unix socket. Each request has a new connection, so that they are independent.
func newScraper(socket string) *scraper {
	return &scraper{http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// scrape returns the time until the metrics are read. The context's end is an error.
func (s *scraper) scrape(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return time.Since(start), err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return time.Since(start), fmt.Errorf("/metrics is answered with %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return time.Since(start), err
}

// probe scrapes again and again until the context ends, and stops at the limit.
func (s *scraper) probe(ctx context.Context, limit time.Time) (delays, error) {
	limited, cancel := context.WithDeadline(context.WithoutCancel(ctx), limit)
	defer cancel()
	return probe(ctx, limit, scrapeEvery, func() (time.Duration, error) { return s.scrape(limited) })
}
