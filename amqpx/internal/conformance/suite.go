package conformance

import (
	"crypto/rand"
	"net"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Option configures how the suite connects to the broker.
type Option func(*target)

// WithDial makes the suite connect with dial instead of over the network.
func WithDial(dial func(network, addr string) (net.Conn, error)) Option {
	return func(to *target) { to.dial = dial }
}

// target is the broker under test.
type target struct {
	url  string
	dial func(network, addr string) (net.Conn, error)
}

// test is one behaviour; its name is a sentence about the broker.
type test struct {
	name string
	run  func(*session)
}

// Run tests the broker at url, an amqp:// address with user and password. Each behaviour is a subtest.
func Run(t *testing.T, url string, opts ...Option) {
	to := target{url: url}
	for _, opt := range opts {
		opt(&to)
	}
	if to.dial == nil {
		to.dial = net.Dial
	}
	groups := []struct {
		name  string
		tests []test
	}{
		{"connections", connectionTests},
		{"exchanges", exchangeTests},
		{"routing", routingTests},
		{"queues", queueTests},
		{"exclusivity", exclusivityTests},
		{"publishing", publishTests},
		{"contents", contentTests},
		{"consumers", consumerTests},
		{"prefetch", prefetchTests},
		{"acknowledgements", ackTests},
		{"errors", errorTests()},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, tt := range group.tests {
				t.Run(tt.name, func(t *testing.T) { tt.run(&session{T: t, to: to}) })
			}
		})
	}
}

// session is one running test with its connections; they are closed when it ends.
type session struct {
	*testing.T
	to target
}

// connect opens a connection.
func (s *session) connect() *amqp.Connection {
	s.Helper()
	conn, err := s.dial(s.to.url)
	if err != nil {
		s.Fatalf("failed to connect: %v", err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (s *session) dial(url string) (*amqp.Connection, error) {
	return amqp.DialConfig(url, amqp.Config{Dial: s.to.dial, Locale: "en_US"})
}

// channel opens a channel on a new connection.
func (s *session) channel() *channel {
	s.Helper()
	return s.channelOn(s.connect())
}

func (s *session) channelOn(conn *amqp.Connection) *channel {
	s.Helper()
	ch, err := conn.Channel()
	if err != nil {
		s.Fatalf("failed to open a channel: %v", err)
	}
	return &channel{Channel: ch, s: s, closed: ch.NotifyClose(make(chan *amqp.Error, 1))}
}

// name returns a unique name for a queue or an exchange.
func (s *session) name(what string) string {
	return "conformance." + what + "." + strings.ToLower(rand.Text()[:12])
}

// addr returns the address at which the broker listens.
func (s *session) addr() string {
	s.Helper()
	uri, err := amqp.ParseURI(s.to.url)
	if err != nil {
		s.Fatal(err)
	}
	return net.JoinHostPort(uri.Host, itoa(uri.Port))
}
