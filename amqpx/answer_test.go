package amqpx

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// inattentive loses the first request for a method of AMQP 0-9-1.
type inattentive struct {
	net.Conn
	method string // class and method, two octets each
	lost   *atomic.Bool
}

func (i inattentive) Write(p []byte) (int, error) {
	if len(p) > frameHead && p[0] == methodFrame && bytes.HasPrefix(p[frameHead:], []byte(i.method)) && !i.lost.Swap(true) {
		return len(p), nil
	}
	return i.Conn.Write(p)
}

func TestARequestThatIsNeverAnsweredEndsTheAttempt(t *testing.T) {
	for name, method := range map[string]string{
		"opening a channel": "\x00\x14\x00\x0a", "declaring the exchange": "\x00\x28\x00\x0a", "asking for confirms": "\x00\x55\x00\x0a",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
				var lost atomic.Bool
				n.set("192.0.2.1:5672", func(context.Context) (net.Conn, error) {
					conn, err := b.Dial("", "")
					return inattentive{conn, method, &lost}, err
				})
				l := linkTo(t, n, []string{"192.0.2.1"}, "amqp://guest:guest@broker/")
				if took := l.up(); took < requestTimeout || took > requestTimeout+10*time.Second {
					t.Errorf("it took %v", took)
				}
				l.stop()
				if text := l.log.String(); !strings.Contains(text, "left a request unanswered for 25s") {
					t.Errorf("the log is %s", text)
				}
			})
		})
	}
}
