package engine

import (
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestFramesSentBeforeCloseGoOutFirst(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1})
		for range 50 {
			for what, send := range map[string]func(Conn){
				"a frame of its own": func(c Conn) { c.Send(Text("a frame of its own")) },
				"a frame of its log": func(Conn) { s.log.Append(Text("a frame of its log")) },
			} {
				c := s.dialTCP(t)
				c.upgrade("/")
				conn := testkit.Receive(t, s.opened)
				send(conn)
				conn.Close(1001, "bye")
				c.expect(what)
				c.expectClose(1001)
				c.Close()
			}
		}
	})
}

func TestFramesSentBeforeShutdownGoOutFirst(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		for range 20 {
			s := start(Config{Loops: 1})
			c := s.dialTCP(t)
			c.upgrade("/")
			testkit.Receive(t, s.opened)
			s.StopListening()
			received := make(chan struct{})
			go func() {
				defer close(received)
				defer c.Close()
				c.expect("news")
				c.expectClose(1001)
			}()
			s.log.Append(Text("news"))
			if err := s.Shutdown(t.Context(), "restarting"); err != nil {
				t.Error(err)
			}
			<-received
		}
	})
}
