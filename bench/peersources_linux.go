package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/gobwas/ws"
)

// peerPayload returns the numbered reply as the bridge's clients get it: all peers deliver these bytes.
func peerPayload(number uint64) ([]byte, error) {
	frame, err := replyFrame(number)
	if err != nil {
		return nil, err
	}
	header, _, err := frameSize(frame)
	return frame[header:], err
}

// viaTopic publishes the payloads to amq.topic, whose routing keys are the topics of RabbitMQ's other protocols.
type viaTopic struct{ viaBroker }

// prepare makes the messages; the key of each is the topic.
func (v viaTopic) prepare(_ context.Context, first uint64, count int) error {
	v.keys, v.replies = v.keys[:0], v.replies[:0]
	for i := range uint64(count) {
		payload, err := peerPayload(first + i)
		if err != nil {
			return err
		}
		v.keys = append(v.keys, repliesTopic)
		v.replies = append(v.replies, amqp.Publishing{Body: payload})
	}
	return nil
}

// viaStream publishes the payloads over a connection of its own, each as encode makes it.
type viaStream struct {
	connect  func(context.Context) (net.Conn, error)
	alive    string // what keeps the connection alive, before a round; "" is nothing
	encode   func(number uint64, payload []byte) []byte
	clock    func() int64
	conn     net.Conn
	ended    chan struct{} // closed when the server has hung up
	messages [][]byte
}

// newStreamSource returns a source that connects, says hello, and discards all answers.
func newStreamSource(addr, hello string, clock func() int64, encode func(number uint64, payload []byte) []byte) *viaStream {
	connect := func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(conn, hello); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
	return &viaStream{connect: connect, encode: encode, clock: clock}
}

// connected connects again if the server has hung up, as HTTP servers do after a while.
func (v *viaStream) connected(ctx context.Context) (err error) {
	if v.conn != nil {
		select {
		case <-v.ended:
		default:
			_, err := io.WriteString(v.conn, v.alive)
			return err
		}
		v.conn.Close()
	}
	if v.conn, err = v.connect(ctx); err != nil {
		return err
	}
	v.ended = make(chan struct{})
	go func(conn net.Conn, ended chan<- struct{}) {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn)
	}(v.conn, v.ended)
	return nil
}

func (v *viaStream) prepare(ctx context.Context, first uint64, count int) error {
	if err := v.connected(ctx); err != nil {
		return err
	}
	v.messages = v.messages[:0]
	for i := range uint64(count) {
		payload, err := peerPayload(first + i)
		if err != nil {
			return err
		}
		v.messages = append(v.messages, v.encode(first+i, payload))
	}
	return nil
}

func (v *viaStream) send(ctx context.Context, every time.Duration, sent []atomic.Int64) error {
	defer context.AfterFunc(ctx, func() { v.conn.SetWriteDeadline(time.Now()) })()
	start := time.Now()
	for i, message := range v.messages {
		if every > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * every)))
		}
		if i < len(sent) {
			sent[i].Store(v.clock())
		}
		if _, err := v.conn.Write(message); err != nil {
			return fmt.Errorf("cannot publish: %w", err)
		}
	}
	return nil
}

func (v *viaStream) close() {
	if v.conn != nil {
		v.conn.Close()
		<-v.ended
	}
}

// post returns the encoder of an HTTP publisher: requests follow one another on one connection.
func post(host, path string, body func(payload []byte) []byte) func(uint64, []byte) []byte {
	return func(_ uint64, payload []byte) []byte {
		text := body(payload)
		return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, host, len(text), text)
	}
}

// publishFrame encodes a payload as a frame of a WebSocket client.
func publishFrame(_ uint64, payload []byte) []byte {
	return (&dialect{op: ws.OpText}).frame(payload)
}
