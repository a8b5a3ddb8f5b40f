package amqpx

import (
	"bytes"
	"errors"
	"net"
	"testing"
)

// written notes each write to the network.
type written struct {
	net.Conn
	pieces [][]byte
	closed bool
}

func (w *written) Write(p []byte) (int, error) {
	w.pieces = append(w.pieces, bytes.Clone(p))
	return len(p), nil
}

func (w *written) Close() error {
	w.closed = true
	return nil
}

func TestWhatIsHeldGoesOutInOnePieceAndInOrder(t *testing.T) {
	w := &written{}
	s := newSocket(t.Context(), w)
	write := func(text string) {
		t.Helper()
		if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	write("a")
	s.hold()
	write("b")
	write("c")
	if len(w.pieces) != 1 {
		t.Fatalf("%q went out while it was held", w.pieces)
	}
	long := string(bytes.Repeat([]byte("x"), maxHeld))
	write(long) // too much to be held: what was held goes before it
	write("d")
	if err := s.release(); err != nil {
		t.Fatal(err)
	}
	write("e")
	want := []string{"a", "bc", long, "d", "e"}
	if len(w.pieces) != len(want) {
		t.Fatalf("%d pieces went out", len(w.pieces))
	}
	for i := range want {
		if string(w.pieces[i]) != want[i] {
			t.Errorf("piece %d is %.10q", i, w.pieces[i])
		}
	}
}

func TestWhatIsHeldWhileTheProcessStandsStillDoesNotGoOut(t *testing.T) {
	w := &written{}
	s := newSocket(t.Context(), w)
	s.hold()
	if _, err := s.Write([]byte("a command")); err != nil {
		t.Fatal(err)
	}
	s.since = s.since.Add(-heldTooLong)
	if err := s.release(); !errors.Is(err, errStoodStill) || !errors.Is(s.failure(), errStoodStill) {
		t.Errorf("the release ends with %v, the socket with %v", err, s.failure())
	}
	if len(w.pieces) > 0 || !w.closed {
		t.Errorf("%q went out; closed is %v", w.pieces, w.closed)
	}
}
