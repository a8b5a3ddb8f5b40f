package engine

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheKernelHoldsLittleForAClientThatDoesNotRead(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		for name, multipath := range map[string]bool{"plain TCP": false, "Multipath TCP": true} {
			t.Run(name, func(t *testing.T) {
				s := start(Config{Loops: 1}, func(s *server) {
					s.listen = &net.ListenConfig{}
					s.listen.SetMultipathTCP(multipath)
				})
				s.dial(t) // reads nothing
				good := s.dial(t)
				frame := strings.Repeat("x", 100_000)
				for range 100 { // the log keeps what the sockets do not take
					s.log.Append(Text(frame))
					good.expect(frame)
				}
				type options struct{ noDelay, vanish, unsent, queued int }
				got := make(chan options, 1)
				l := s.loops[0]
				l.mail.post(func() {
					fd := int(l.conns.at(0).fd)
					get := func(option int) int { n, _ := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option); return n }
					queued, _ := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
					got <- options{get(unix.TCP_NODELAY), get(unix.TCP_USER_TIMEOUT), get(unix.TCP_NOTSENT_LOWAT), queued}
				})
				o := testkit.Receive(t, got)
				if o.noDelay != 1 || o.vanish != int(unackedTimeout.Milliseconds()) || o.unsent != maxUnsent {
					t.Errorf("the socket's options are %+v", o)
				}
				if o.queued > 2*maxUnsent {
					t.Errorf("the kernel holds %d bytes for a client that reads nothing", o.queued)
				}
			})
		}
	})
}

func TestANewClientGetsNoEarlierFrames(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2})
		late := s.dialTCP(t) // on the first loop, where its request will be read
		first := s.dial(t)   // on the second
		blocked, release := make(chan struct{}), make(chan struct{})
		s.loops[0].mail.post(func() { close(blocked); <-release })
		<-blocked
		s.log.Append(Text("before"))
		first.expect("before")
		// The request arrives while the frame is still in the first loop's mailbox.
		late.send([]byte(upgradeRequest))
		close(release)
		if got := late.response().StatusCode; got != 101 {
			t.Fatalf("answered %d", got)
		}
		testkit.Receive(t, s.opened)
		s.log.Append(Text("after"))
		late.expect("after")
	})
}

func TestFramesRightAfterAChangeOfTheLogAreCompressed(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Compress: true})
		c := s.dialTCP(t)
		c.send(offering("permessage-deflate"))
		c.response()
		conn := testkit.Receive(t, s.opened)
		blocked, release := make(chan struct{}), make(chan struct{})
		s.loops[0].mail.post(func() { close(blocked); <-release })
		<-blocked
		// The loop does not know yet that the compressed log will be followed.
		other, long := s.NewLog(), envelope(1, 2000)
		other.Append(Text("before"))
		conn.Follow(other, Text("first"))
		other.Append(Text(long))
		close(release)
		c.expect("first")
		c.expectText(long, true)
	})
}
