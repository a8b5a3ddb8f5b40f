package engine

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// unpack returns a frame's text as a client with the extension reads it, and whether it was
// compressed.
func unpack(f ws.Frame) (string, bool, error) {
	packed := f.Header.Rsv != 0
	f, err := wsflate.DecompressFrame(f)
	return string(f.Payload), packed, err
}

// expectText reads a frame and checks whether it was compressed.
func (c *client) expectText(want string, packed bool) {
	c.t.Helper()
	f := c.frame()
	got, was, err := unpack(f)
	if err != nil || got != want || was != packed || f.Header.OpCode != ws.OpText {
		c.t.Fatalf("got %.80q, compressed: %v, %v; want %.80q, compressed: %v", got, was, err, want, packed)
	}
}

func TestCompressingAndOtherClientsGetEveryFrameInOrder(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const clients, frames = 20, 300
		s := start(Config{Loops: 2, Compress: true})
		var done sync.WaitGroup
		for i := range clients {
			dial := s.dial
			if i%2 == 0 {
				dial = s.dialDeflate
			}
			c := dial(t)
			done.Go(func() {
				for n := range frames {
					f, err := readFrame(c.r)
					if err != nil {
						t.Error(err)
						return
					}
					got, packed, err := unpack(f)
					want := envelope(n, n*6)
					if err != nil || got != want || packed && i%2 == 1 || !packed && i%2 == 0 && len(want) >= minDeflateSize {
						t.Errorf("client %d, frame %d: got %.80q, compressed: %v, %v", i, n, got, packed, err)
						return
					}
				}
			})
		}
		for n := range frames {
			s.log.Append(Text(envelope(n, n*6)))
		}
		done.Wait()
	})
}

func TestAFrameIsCompressedOnlyIfItShrinks(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		c := s.dialDeflate(t)
		short, long, big := strings.Repeat("x", minDeflateSize-1), strings.Repeat("x", minDeflateSize), strings.Repeat("0123456789", 100_000)
		static := Frame(ws.MustCompileFrame(ws.NewBinaryFrame(noise(10_000))))
		s.log.Append(Text(""))
		s.log.Append(Text(short))
		s.log.Append(Text(long))
		s.log.Append(static)
		s.log.Append(Text(big))
		c.expectText("", false)
		c.expectText(short, false)
		c.expectText(long, true)
		if f := c.frame(); f.Header.Rsv != 0 || f.Header.OpCode != ws.OpBinary || string(f.Payload) != string(noise(10_000)) {
			t.Fatalf("got %+v", f.Header)
		}
		c.expectText(big, true)
	})
}

func TestAFrameForOneClientIsNotCompressed(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		c := s.dialTCP(t)
		c.send(offering("permessage-deflate"))
		c.response()
		long := envelope(1, 2000)
		testkit.Receive(t, s.opened).Send(Text(long))
		c.expectText(long, false)
	})
}

func TestNothingIsCompressedWithoutFollowers(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		plain := s.dial(t)
		long := envelope(1, 2000)
		s.log.Append(Text(long))
		plain.expectText(long, false)
		if s.log.deflated.appended.Load() != 0 {
			t.Fatal("a frame was compressed without a follower")
		}
		c := s.dialDeflate(t)
		s.log.Append(Text(long))
		c.expectText(long, true)
		c.Close()
		testkit.Receive(t, s.closed)
		s.log.Append(Text(long))
		plain.expectText(long, false)
		plain.expectText(long, false)
		if n := s.log.deflated.appended.Load(); n != 1 {
			t.Fatalf("%d frames were compressed, want 1", n)
		}
	})
}

func FuzzDeflate(f *testing.F) {
	f.Add([]byte("hello"))
	f.Add(bytes.Repeat([]byte("hello "), 50))
	def, in := newDeflater(), newInflater()
	f.Fuzz(func(t *testing.T, message []byte) {
		small := def.deflate(message)
		got, err := in.inflate(small, len(message))
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%q became %q, %v", message, got, err)
		}
		if got, err := wsflate.DefaultHelper.Decompress(small); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("to others %q became %q, %v", message, got, err)
		}
	})
}
