package engine

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A frame sent while others append comes after everything that was there before, and
// nothing of the log is lost or duplicated.
func TestSendInOrderWhileALogGrowsLosesNothing(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const frames, answers = 3000, 300
		s := start(Config{Loops: 2, Limits: Limits{LogBytes: 64 << 20}})
		c, conn := s.dialConn(t)
		appended := make(chan int, frames)
		go func() {
			for i := range frames {
				s.log.Append(Text("log " + strconv.Itoa(i)))
				appended <- i
			}
		}()
		go func() {
			last := -1
			for range answers {
				for range frames / answers {
					last = <-appended
				}
				conn.SendInOrder(Text("in order "+strconv.Itoa(last)), Text("and so on"))
			}
		}()
		next := 0
		for answered := 0; next < frames || answered < answers; {
			f, err := readFrame(c.r)
			if err != nil {
				t.Fatal(err)
			}
			text := string(f.Payload)
			if lagging, ok := strings.CutPrefix(text, "in order "); ok {
				if n, _ := strconv.Atoi(lagging); n >= next {
					t.Fatalf("%q came too early: %d frames had come", text, next)
				}
				c.expect("and so on")
				answered++
				continue
			}
			if want := fmt.Sprint("log ", next); text != want {
				t.Fatalf("got %q, want %q", text, want)
			}
			next++
		}
	})
}
