package conformance

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// raw is a connection on which the suite writes frames by hand. It can violate rules, and sees the class and
// method in a close.
type raw struct {
	s  *session
	nc net.Conn
	in *bufio.Reader
}

// rawFrame is one frame to send, or as received.
type rawFrame struct {
	kind    byte
	channel uint16
	payload []byte
}

// method builds a method frame; its arguments are already encoded.
func method(channel, class, number uint16, arguments ...[]byte) rawFrame {
	payload := binary.BigEndian.AppendUint16(nil, class)
	payload = binary.BigEndian.AppendUint16(payload, number)
	for _, a := range arguments {
		payload = append(payload, a...)
	}
	return rawFrame{1, channel, payload}
}

func short(s string) []byte { return append([]byte{byte(len(s))}, s...) }
func long(s string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}

// rawConnect performs the handshake, and opens no channel.
func (s *session) rawConnect() *raw {
	s.Helper()
	return s.rawHeartbeat(0)
}

func (s *session) rawHeartbeat(seconds byte) *raw {
	s.Helper()
	nc, err := s.to.dial("tcp", s.addr())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	r := &raw{s: s, nc: nc, in: bufio.NewReader(nc)}
	if _, err := nc.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		s.Fatal(err)
	}
	uri, err := amqp.ParseURI(s.to.url)
	if err != nil {
		s.Fatal(err)
	}
	r.want(10, 10)
	capabilities := string(short("authentication_failure_close")) + "t\x01"
	properties := string(short("capabilities")) + "F" + string(long(capabilities))
	r.send(method(0, 10, 11, long(properties), short("PLAIN"), long("\x00"+uri.Username+"\x00"+uri.Password), short("en_US")))
	r.want(10, 30)
	r.send(method(0, 10, 31, []byte{0x07, 0xff, 0, 0x02, 0, 0, 0, seconds}))
	r.send(method(0, 10, 40, short("/"), []byte{0, 0}))
	r.want(10, 41)
	return r
}

// rawChannel opens a connection and channel 1.
func (s *session) rawChannel() *raw {
	s.Helper()
	r := s.rawConnect()
	r.send(method(1, 20, 10, []byte{0}))
	r.want(20, 11)
	return r
}

// send writes frames in one write.
func (r *raw) send(frames ...rawFrame) {
	r.s.Helper()
	var out []byte
	for _, f := range frames {
		out = append(out, f.kind, byte(f.channel>>8), byte(f.channel))
		out = append(append(out, long(string(f.payload))...), 0xCE)
	}
	r.write(out)
}

func (r *raw) write(b []byte) {
	r.s.Helper()
	if _, err := r.nc.Write(b); err != nil {
		r.s.Fatal(err)
	}
}

// read returns the next frame that is not a heartbeat.
func (r *raw) read() rawFrame {
	r.s.Helper()
	for {
		var head [7]byte
		if _, err := io.ReadFull(r.in, head[:]); err != nil {
			r.s.Fatalf("failed to read a frame: %v", err)
		}
		payload := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		if _, err := io.ReadFull(r.in, payload); err != nil {
			r.s.Fatalf("failed to read a frame: %v", err)
		}
		if head[0] != 8 {
			return rawFrame{head[0], binary.BigEndian.Uint16(head[1:]), payload[:len(payload)-1]}
		}
	}
}

// want reads one method and returns its arguments.
func (r *raw) want(class, number uint16) []byte {
	r.s.Helper()
	f := r.read()
	if f.kind != 1 || binary.BigEndian.Uint16(f.payload) != class || binary.BigEndian.Uint16(f.payload[2:]) != number {
		r.s.Fatalf("got frame %d with %q, want method %d.%d", f.kind, f.payload, class, number)
	}
	return f.payload[4:]
}

// wantClose reads channel.close (20, 40) or connection.close (10, 50) and checks the method that it names.
func (r *raw) wantClose(class, number uint16, code int, failedClass, failedMethod uint16) string {
	r.s.Helper()
	a := r.want(class, number)
	text := string(a[3 : 3+a[2]])
	ids := a[3+a[2]:]
	got := [3]uint16{binary.BigEndian.Uint16(a), binary.BigEndian.Uint16(ids), binary.BigEndian.Uint16(ids[2:])}
	if got != [3]uint16{uint16(code), failedClass, failedMethod} {
		r.s.Errorf("closed with %v (%s), want %v", got, text, []any{code, failedClass, failedMethod})
	}
	return text
}

// declareServerNamed declares an exclusive queue without a name and returns the one it is given.
func (r *raw) declareServerNamed() string {
	r.s.Helper()
	r.send(method(1, 50, 10, []byte{0, 0}, short(""), []byte{4}, long("")))
	a := r.want(50, 11)
	return string(a[1 : 1+a[0]])
}

func rawConsume(queue, tag string) rawFrame {
	return method(1, 60, 20, []byte{0, 0}, short(queue), short(tag), []byte{0}, long(""))
}

// consumeServerNamed consumes without a tag and returns the one it is given.
func (r *raw) consumeServerNamed(queue string) string {
	r.s.Helper()
	r.send(rawConsume(queue, ""))
	a := r.want(60, 21)
	return string(a[1 : 1+a[0]])
}
