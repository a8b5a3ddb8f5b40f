package broker

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// Where RabbitMQ does not answer or breaks the connection, this broker returns an error.
func TestAViolationIsAnsweredWithAnError(t *testing.T) {
	buf, mark := beginMethod(nil, 1, channelOpen)
	open := endFrame(append(buf, 0), mark)
	frames := func(more []byte) []byte { return append(append(handshakeBytes(), open...), more...) }
	publish := func(declared byte, body string) []byte {
		buf, mark := beginMethod(nil, 1, basicPublish)
		buf = endFrame(append(buf, 0, 0, 0, 0, 0), mark)
		header := []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, declared, 0, 0}
		return appendContent(buf, 1, &message{header: header, body: []byte(body)}, frameMinMax)
	}
	unknown, mark := beginMethod(nil, 1, 60<<16|250)
	unknown = endFrame(unknown, mark)
	toZero, mark := beginMethod(nil, 0, queueDeclare)
	toZero = endFrame(toZero, mark)
	deep := []byte("\x01aV")
	for range 2 * maxTableDepth {
		deep = append([]byte("\x01aF"), appendLong(nil, string(deep))...)
	}
	nested, mark := beginMethod(nil, 1, queueDeclare)
	nested = endFrame(appendLong(append(appendShort(append(nested, 0, 0), "q"), 4), string(deep)), mark)

	secret, mark := beginMethod(nil, 0, connectionUpdateSecret)
	secret = endFrame(appendLong(secret, "no reason follows"), mark)

	for _, tt := range []struct {
		name   string
		input  []byte
		code   replyCode
		method methodID
	}{
		{"more body than declared", frames(publish(3, "four")), frameError, basicPublish},
		{"an unknown method", frames(unknown), commandInvalid, 60<<16 | 250},
		{"a channel's method on channel 0", frames(toZero), commandInvalid, queueDeclare},
		{"content on channel 0", frames([]byte{frameBody, 0, 0, 0, 0, 0, 0, frameEnd}), unexpectedFrame, 0},
		{"a heartbeat with a body", frames([]byte{frameHeartbeat, 0, 0, 0, 0, 0, 1, 0, frameEnd}), frameError, 0},
		{"a new secret cut short", frames(secret), frameError, connectionUpdateSecret},
		{"tables without end", frames(nested), frameError, queueDeclare},
		{"an impatient client", append([]byte(protocolHeader), open...), unexpectedFrame, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, method := closeOf(t, tt.input)
			if code != tt.code || method != tt.method {
				t.Errorf("closed with %v for %d.%d, want %v for %d.%d",
					code, method.class(), method.number(), tt.code, tt.method.class(), tt.method.number())
			}
		})
	}
}

// A client that does not support connection.close during login gets no answer, as the specification demands.
func TestARefusedLoginClosesTheSocketOfASimpleClient(t *testing.T) {
	buf, mark := beginMethod([]byte(protocolHeader), 0, connectionStartOk)
	buf = appendLong(appendShort(appendLong(buf, ""), "PLAIN"), "\x00guest\x00wrong")
	if code, _ := closeOf(t, endFrame(appendShort(buf, "en_US"), mark)); code != 0 {
		t.Errorf("the login was answered with %v", code)
	}
}

// closeOf sends input to a new broker and returns the contents of its connection.close, or zeros if the broker
// hangs up without one.
func closeOf(t *testing.T, input []byte) (code replyCode, method methodID) {
	t.Helper()
	b := New(Config{})
	defer b.Close()
	client, err := b.Dial("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	go func() { _, _ = client.Write(input) }()
	in := frameReader{r: bufio.NewReader(client), max: 1 << 20}
	for {
		fr, err := in.next()
		if errors.Is(err, io.EOF) {
			return 0, 0
		}
		if ne := net.Error(nil); errors.As(err, &ne) {
			t.Fatalf("no answer: %v", err)
		}
		a := args{b: fr.payload}
		if id := methodID(a.u32()); fr.kind == frameMethod && id == connectionClose {
			code = replyCode(a.u16())
			a.short()
			return code, methodID(a.u32())
		}
	}
}

// flakyListener fails to accept a few times before it works.
type flakyListener struct {
	net.Listener
	failures int
}

func (l *flakyListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestServingGoesOnAfterAFailedAccept(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := New(Config{})
	served := make(chan error, 1)
	go func() { served <- b.Serve(&flakyListener{ln, 2}) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := nc.Write([]byte(protocolHeader)); err != nil {
		t.Fatal(err)
	}
	in := frameReader{r: bufio.NewReader(nc), max: 1 << 20}
	if _, err := in.next(); err != nil {
		t.Errorf("no connection.start: %v", err)
	}
	_ = b.Close()
	if err := <-served; !errors.Is(err, ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
}
