package engine

import (
	"runtime"
	"testing"
	"weak"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestFollowersOfAClosedLogGetItsFramesAndNoMore(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		plain, conn := s.dialConn(t)
		packed := s.dialDeflate(t)
		long := envelope(1, 1000)
		s.log.Append(Text(long))
		s.log.Close()
		s.log.Append(Text("for nobody"))
		other := s.NewLog()
		conn.Follow(other)
		other.Append(Text("new"))
		plain.expect(long)
		plain.expect("new")
		packed.expectText(long, true)
		packed.Write(text("still here"))
		if got := testkit.Receive(t, s.messages); got != "still here" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestAClosedLogIsCollected(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 2, Compress: true})
		c, conn := s.dialConn(t)
		log := s.NewLog()
		here, deflated := weak.Make(log), weak.Make(log.deflated)
		var rings []weak.Pointer[ring]
		for i := range log.rings {
			rings = append(rings, weak.Make(&log.rings[i]))
		}
		conn.Follow(log)
		log.Append(Text("news"))
		c.expect("news")
		conn.Follow(s.log, Text("bye"))
		c.expect("bye")
		log.Close()
		log = nil
		testkit.WaitUntil(t, "the log is collected", func() bool {
			runtime.GC()
			for _, r := range rings {
				if r.Value() != nil {
					return false
				}
			}
			return here.Value() == nil && deflated.Value() == nil
		})
	})
}
