package engine

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"
)

// BenchmarkDeflateLevels justifies deflateLevel: the time for a reply, and its compressed
// size.
func BenchmarkDeflateLevels(b *testing.B) {
	for _, size := range []int{300, 1000, 4000} {
		payload := []byte(envelope(1, size))
		for _, level := range []int{flate.HuffmanOnly, 1, 3, 4, deflateLevel, 6, flate.BestCompression} {
			b.Run(fmt.Sprintf("bytes=%d/level=%d", len(payload), level), func(b *testing.B) {
				d := newDeflater()
				d.flate, _ = flate.NewWriter(&d.out, level)
				left := 0
				for b.Loop() {
					left = len(d.deflate(payload))
				}
				b.ReportMetric(float64(left)/float64(len(payload)), "left")
			})
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{200, 1000, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			text := envelope(1, size)
			packed, in := []byte(pack(text)), newInflater()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := in.inflate(packed, 2<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompressOnce sends a reply to clients that compress and one to as many that do
// not, in turn, and waits each time until every client has it. The ratio of the times
// approaches one as the number of clients grows: compression costs once per reply, not per
// client.
func BenchmarkCompressOnce(b *testing.B) {
	for _, clients := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			f := Text(envelope(1, 1000))
			plain, packed := newAudience(b, clients, false), newAudience(b, clients, true)
			var plainTime, packedTime time.Duration
			packedFrame := len(packed.engine.deflate.frame(f))
			for b.Loop() {
				plainTime += plain.bring(b, f, len(f))
				packedTime += packed.bring(b, f, packedFrame)
			}
			replies := float64(b.N)
			b.ReportMetric(float64(plainTime.Nanoseconds())/replies, "plain-ns/reply")
			b.ReportMetric(float64(packedTime.Nanoseconds())/replies, "deflated-ns/reply")
			b.ReportMetric(float64(packedTime)/float64(plainTime), "times-plain")
			b.ReportMetric(float64(packedFrame)/float64(len(f)), "bytes-left")
		})
	}
}

// audience is an engine with clients that follow its log.
type audience struct {
	*server
	engine  *Engine
	clients []*bufio.Reader
}

func newAudience(b *testing.B, clients int, compress bool) *audience {
	c := &audience{server: &server{opened: make(chan Conn, clients), closed: make(chan closeNote, clients)}}
	var err error
	c.engine, err = New(Config{Handler: c.server, Compress: compress, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	c.log = c.engine.NewLog()
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		_ = c.engine.Shutdown(ctx, "") // the clients are gone, or are cut
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	if err := c.engine.Listen(ln); err != nil {
		b.Fatal(err)
	}
	for range clients {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		if _, err := conn.Write(offering(permessageDeflate)); err != nil {
			b.Fatal(err)
		}
		r := bufio.NewReader(conn)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || strings.HasPrefix(resp.Header.Get("Sec-WebSocket-Extensions"), permessageDeflate) != compress {
			b.Fatal(resp, err)
		}
		<-c.opened
		c.clients = append(c.clients, r)
	}
	return c
}

// bring appends a frame, and returns the time until every client has read it.
func (c *audience) bring(b *testing.B, f Frame, size int) time.Duration {
	start := time.Now()
	c.log.Append(f)
	for _, r := range c.clients {
		if _, err := r.Discard(size); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
