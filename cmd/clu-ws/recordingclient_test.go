package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recordingClient is a client that records the numbers of the replies of a
// [testkit.Source]. It parses frames itself, to keep up with a bridge at full speed.
type recordingClient struct {
	name    string
	running sync.WaitGroup

	// mu guards the following fields.
	mu      sync.Mutex
	numbers []int
	others  []string // messages that are not such replies
	last    string   // epoch:seq of the last v1 reply
	ended   error    // why the connection has ended; a [closed] after a close frame
}

// closed is a close frame.
type closed struct {
	code   int
	reason string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %q", c.code, c.reason) }

// startRecording connects to a bridge and records until the test ends.
func startRecording(t *testing.T, name string, d ws.Dialer, url string) (*recordingClient, net.Conn) {
	t.Helper()
	e := &recordingClient{name: name}
	conn, br, err := dialBridge(t.Context(), d, url)
	if err != nil {
		t.Fatal(err)
	}
	e.running.Go(func() { e.end(e.run(conn, br)) })
	t.Cleanup(func() { conn.Close(); e.running.Wait() })
	return e, conn
}

// dialBridge connects. The reader has what was received after the response as well.
func dialBridge(ctx context.Context, d ws.Dialer, url string) (net.Conn, *bufio.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, testkit.Patience)
	defer cancel()
	conn, err := testkit.OpenWebSocket(ctx, d, url)
	if err != nil {
		return nil, nil, err
	}
	return conn, bufio.NewReaderSize(conn, 1<<16), nil
}

// reader returns a reader with a buffer for many frames.
func reader(from io.Reader) *bufio.Reader { return bufio.NewReaderSize(from, 256<<10) }

// run reads frames until the connection ends.
func (e *recordingClient) run(conn net.Conn, br *bufio.Reader) error {
	var payload []byte
	for {
		h, err := ws.ReadHeader(br)
		if err != nil {
			return err
		}
		if int64(cap(payload)) < h.Length {
			payload = make([]byte, h.Length)
		}
		payload = payload[:h.Length]
		if _, err := io.ReadFull(br, payload); err != nil {
			return err
		}
		switch h.OpCode {
		case ws.OpText:
			e.take(payload)
		case ws.OpPing:
			if err := ws.WriteFrame(conn, ws.MaskFrame(ws.NewPongFrame(payload))); err != nil {
				return err
			}
		case ws.OpClose:
			// An error means that the bridge does not wait for the response.
			_ = ws.WriteFrame(conn, ws.MaskFrame(ws.NewCloseFrame(payload)))
			return closed{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
		}
	}
}

// take records a message.
func (e *recordingClient) take(message []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, number, ok := bytes.Cut(message, []byte(`"body": {"n": `))
	if !ok {
		e.others = append(e.others, string(message))
		return
	}
	n, err := strconv.Atoi(string(digits(number)))
	if err != nil {
		e.ended = err
	}
	e.numbers = append(e.numbers, n)
	if _, seq, ok := bytes.Cut(message, []byte(`, "seq": `)); ok {
		_, epoch, _ := bytes.Cut(seq, []byte(`"epoch": "`))
		e.last = string(epoch[:bytes.IndexByte(epoch, '"')]) + ":" + string(digits(seq))
	}
}

// digits returns the digits that a text starts with.
func digits(text []byte) []byte {
	for i, c := range text {
		if c < '0' || c > '9' {
			return text[:i]
		}
	}
	return text
}

func (e *recordingClient) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = err
}

// received returns the numbers so far, and why the connection has ended.
func (e *recordingClient) received() ([]int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int(nil), e.numbers...), e.ended
}

// lastReceived returns the last number, or -1, and why the connection has ended.
func (e *recordingClient) lastReceived() (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.numbers) == 0 {
		return -1, e.ended
	}
	return e.numbers[len(e.numbers)-1], e.ended
}

// awaitReceived waits until all clients have received a number, or a later one.
func awaitReceived(t *testing.T, number int, all ...*recordingClient) {
	t.Helper()
	testkit.Eventually(t, 2*testkit.Patience, fmt.Sprintf("every client has reply %d", number), func() error {
		for _, e := range all {
			if last, ended := e.lastReceived(); last < number {
				return fmt.Errorf("%s is at %d; its connection: %v", e.name, last, ended)
			}
		}
		return nil
	})
}

// awaitNext waits until all clients have received the next reply that is sent.
func awaitNext(t *testing.T, s *testkit.Source, all ...*recordingClient) {
	t.Helper()
	awaitReceived(t, s.Sent(), all...)
}

// mustHaveReceived fails the test at the first difference between the received numbers
// and these.
func (e *recordingClient) mustHaveReceived(t *testing.T, numbers []int) {
	t.Helper()
	received, _ := e.received()
	for i := range max(len(received), len(numbers)) {
		if i >= len(received) || i >= len(numbers) || received[i] != numbers[i] {
			t.Errorf("%s received %d replies, want %d; from the first difference on: %v, want %v",
				e.name, len(received), len(numbers), some(received, i), some(numbers, i))
			return
		}
	}
}

func some(numbers []int, from int) []int {
	from = min(from, len(numbers))
	return numbers[from:min(from+10, len(numbers))]
}
