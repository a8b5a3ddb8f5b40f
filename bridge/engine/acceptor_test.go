//go:build unix

package engine

import (
	"log/slog"
	"maps"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// reluctant is a poller that rejects a new listening socket the first few times.
type reluctant struct {
	poller
	known map[int]*ListenOptions
	fails int
}

func (l *loop) reluctant(fails int) {
	l.do(func() { l.poll = &reluctant{l.poll, maps.Clone(l.acceptor.sockets), fails} })
}

func (p *reluctant) listen(fd int) error {
	if p.known[fd] == nil && p.fails > 0 {
		p.fails--
		return unix.EMFILE
	}
	return p.poller.listen(fd)
}

// listenTwice adds a second listener to a server, and returns its address.
func (s *server) listenTwice(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ListenWith(ln, ListenOptions{TLS: s.tls}); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

func TestAListenerThatThePollerRejectsIsServedLater(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		log := &lockedBuffer{}
		s := start(Config{Loops: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
		l := s.loops[0]
		l.reluctant(3)
		s.addr = s.listenTwice(t)
		s.dial(t)
		if n := strings.Count(log.String(), "cannot accept"); n != 1 {
			t.Errorf("the log has it %d times: %s", n, log)
		}
	})
}

func TestAListenerThatThePollerRejectsDelaysNoOther(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		l := s.loops[0]
		s.dial(t)
		l.reluctant(1 << 30)
		first := s.addr
		s.addr = s.listenTwice(t)
		waits := s.dialTCP(t) // in the kernel's queue
		s.addr = first
		s.dial(t).Close()
		l.do(func() { l.poll.(*reluctant).fails = 0 })
		waits.upgrade("/")
	})
}

func TestAListenerAddedWhileAcceptingIsPausedIsServed(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		l := s.loops[0]
		first := s.addr
		l.mail.post(func() { l.acceptor.pause(unix.EMFILE) })
		s.addr = s.listenTwice(t)
		s.dial(t)
		s.addr = first
		s.dial(t)
	})
}
