package bench

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/actor"
)

func TestACommandsNumberIsFoundInEitherServersJSON(t *testing.T) {
	for body, want := range map[string]uint64{
		`{"command_string":"status 1000000001"}`:  1_000_000_001,
		`{"command_string": "status 1000000002"}`: 1_000_000_002,
	} {
		if got, ok := commandNumber([]byte(body)); !ok || got != want {
			t.Errorf("%s: %d, %t", body, got, ok)
		}
	}
	for _, body := range []string{"", `"}`, `{"command_string":"status"}`, `{"command_string":"status 10000000x1"}`, `{"n":1000000001}`} {
		if got, ok := commandNumber([]byte(body)); ok {
			t.Errorf("%s: %d", body, got)
		}
	}
}

func TestABareCommandHasItsNumberWhereTheConsumerReadsIt(t *testing.T) {
	m := actor.NewCommand("bench", consumer, commandString(firstNumber+7), "").Message()
	if got, ok := commandNumber(m.Body); !ok || got != firstNumber+7 {
		t.Errorf("%s: %d, %t", m.Body, got, ok)
	}
}

// pipe is a commander whose server is the test.
func pipe(t *testing.T) (*commander, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return newCommander(ours, nil), theirs
}

func TestAClientSendsNoMoreThanItHasSlots(t *testing.T) {
	c, server := pipe(t)
	slots := make(chan struct{}, 3)
	slots <- struct{}{}
	slots <- struct{}{}
	sent := make(chan error, 1)
	go func() { sent <- c.send(t.Context(), [][]byte{[]byte("one"), []byte("two"), []byte("six")}, slots) }()
	buf := make([]byte, 100)
	if n, err := server.Read(buf); err != nil || string(buf[:n]) != "onetwo" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	slots <- struct{}{}
	if n, err := server.Read(buf); err != nil || string(buf[:n]) != "six" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestAClientAnswersPingsAndReadsTexts(t *testing.T) {
	c, server := pipe(t)
	go func() {
		_, _ = server.Write(compiled(ws.NewPingFrame([]byte("hello"))))
		_, _ = io.CopyN(io.Discard, server, int64(len("hello")+6)) // the pong, with its mask
		_, _ = server.Write(compiled(ws.NewTextFrame([]byte("it failed"))))
		_, _ = server.Write(compiled(ws.NewCloseFrame(ws.NewCloseFrameBody(1008, "too fast"))))
	}()
	if text, err := c.readText(); err != nil || !bytes.Equal(text, []byte("it failed")) {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := c.readText(); err == nil || !strings.Contains(err.Error(), "too fast") {
		t.Errorf("%v", err)
	}
}
