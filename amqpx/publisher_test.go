//go:build unix

package amqpx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// publishing is a publisher on a TCP connection, whose outbox is open, and the other end of that
// connection.
func publishing(t *testing.T, window int) (p *publisher, there net.Conn) {
	here, there := tcpPair(t)
	s := newSocket(t.Context(), here)
	box := newOutbox(100, window, time.Minute)
	box.open()
	return &publisher{outbox: box, frames: publishFrames{channel: 1}, conn: s, socket: s, closed: func() bool { return false }}, there
}

// sendsNow makes messages be sent on their publishers' goroutines, and counts them.
func (p *publisher) sendsNow(t *testing.T) (sent *int) {
	sent = new(int)
	p.outbox.setSendNow(func() bool {
		done, err := p.tryPublish()
		if err != nil {
			t.Error(err)
		}
		if done {
			*sent++
		}
		return done
	})
	return sent
}

// signalled reports whether the sending goroutine has been woken.
func (o *outbox) signalled() bool {
	select {
	case <-o.wake:
		return true
	default:
		return false
	}
}

func TestAMessageIsSentOnItsPublishersGoroutineIfNothingIsPending(t *testing.T) {
	p, there := publishing(t, 10)
	sent := p.sendsNow(t)
	var out outcomes
	put(p.outbox, &out, "a")
	if *sent != 1 || p.outbox.signalled() {
		t.Fatalf("%d were sent at once; the goroutine that sends was woken or not", *sent)
	}
	m := message("a")
	want := p.frames.append(nil, &m)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(there, got); err != nil || string(got) != string(want) {
		t.Errorf("%q came, want %q; %v", got, want, err)
	}
	put(p.outbox, &out, "b") // leaves together with those behind it
	if *sent != 1 || !p.outbox.signalled() {
		t.Error("b was sent at once although a has no confirm")
	}
	if err := p.publishAll(); err != nil {
		t.Fatal(err)
	}
	p.outbox.settleTo(2, Confirmed)
	put(p.outbox, &out, "c")
	if *sent != 2 {
		t.Error("c was not sent at once although nothing is before it")
	}
	p.outbox.settle(3, Confirmed)
	out.expect(t, "a confirmed", "b confirmed", "c confirmed")
	p.outbox.put(Message{Publishing: Publishing{Body: make([]byte, maxInlineBody+1)}}, func(Outcome) {})
	if *sent != 2 || !p.outbox.signalled() {
		t.Error("a long message was sent at once")
	}
}

func TestOnlyOneGoroutineSendsAndNoneAfterTheSession(t *testing.T) {
	var out outcomes
	for name, hinder := range map[string]func(*publisher){
		"while another sends":   func(p *publisher) { p.mu.Lock() },
		"while another writes":  func(p *publisher) { p.socket.writing.Lock() },
		"before what was left":  func(p *publisher) { p.socket.unwritten = []byte("left") },
		"after the session":     (*publisher).end,
		"over TLS":              func(p *publisher) { p.socket = nil },
		"where none can write":  func(p *publisher) { p.socket.raw = nil },
		"when there is no room": func(p *publisher) { p.outbox.window = make([]*publish, 0); p.outbox.refuse(Disconnected) },
	} {
		p, _ := publishing(t, 10)
		hinder(p)
		if p.outbox.refusal == Confirmed {
			put(p.outbox, &out, "a")
		}
		if done, err := p.tryPublish(); done || err != nil || p.outbox.next != 1 {
			t.Errorf("%s: sent %v, %v, next tag %d", name, done, err, p.outbox.next)
		}
	}
}

func TestWhatIsCertainlyUnsentDoesNotEndAsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		hinder func(*publisher)
		began  time.Duration // before the write
		err    error
		want   []string
	}{
		"on a closed channel":      {func(p *publisher) { p.closed = func() bool { return true } }, 0, amqp.ErrClosed, []string{"b away", "c away"}},
		"after a pause":            {func(*publisher) {}, 2 * maxWriteDelay, errProcessPaused, []string{"b expired", "c expired"}},
		"on a broken connection":   {func(p *publisher) { p.socket.Conn.Close() }, 0, net.ErrClosed, nil},
		"on one that is in order ": {func(*publisher) {}, 0, nil, nil},
	} {
		p, _ := publishing(t, 10)
		var out outcomes
		put(p.outbox, &out, "a")
		if err := p.publishAll(); err != nil {
			t.Fatal(err)
		}
		put(p.outbox, &out, "bc")
		c.hinder(p)
		first, next := p.collect(maxWrite)
		err := p.write(p.conn.Write, time.Now().Add(-c.began))
		if err != nil {
			p.unsent(first, next, err)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		out.expect(t, c.want...) // a was sent, and keeps its slot
	}
}

// After a batch that was not written, the broker's tags differ.
func TestNothingIsSentAfterAFailedWrite(t *testing.T) {
	p, there := publishing(t, 10)
	var out outcomes
	put(p.outbox, &out, "a")
	first, next := p.collect(maxWrite)
	err := p.write(p.conn.Write, time.Now().Add(-2*maxWriteDelay))
	p.unsent(first, next, err)
	out.expect(t, "a expired")
	put(p.outbox, &out, "b")
	if done, err := p.tryPublish(); done || err != nil {
		t.Errorf("b was sent at once: %v, %v", done, err)
	}
	if p.publishAll() == nil {
		t.Error("b was sent")
	}
	p.socket.Close()
	if sent, _ := io.ReadAll(there); len(sent) > 0 {
		t.Errorf("%q was sent", sent)
	}
	p.outbox.disconnect()
	out.expect(t, "b away")
}

func confirmFrame(channel uint16, method string, tag uint64, flags byte) []byte {
	return frame(methodFrame, channel, append(binary.BigEndian.AppendUint64([]byte(method), tag), flags))
}

func TestConfirmsSettleWhereTheyAreReadAndTheLibraryGetsEverythingElse(t *testing.T) {
	selectOk := func(channel uint16) []byte { return frame(methodFrame, channel, []byte(selectOkMethod)) }
	flowOk := frame(methodFrame, 2, []byte{0, 20, 0, 21, 1})
	sameSize := frame(methodFrame, 2, append([]byte{0, 60, 0, 90}, make([]byte, 9)...))
	heartbeat := frame(heartbeatFrame, 0, nil)
	returned := slices.Concat(frame(methodFrame, 2, append([]byte{0, 60, 0, 50}, 1, 56, 1, 'x', 0, 0)),
		frame(headerFrame, 2, properties(2, 0)), frame(bodyFrame, 2, []byte{206, 206}))
	stream := slices.Concat(flowOk, selectOk(2), confirmFrame(2, ackMethod, 1, 0), heartbeat, confirmFrame(2, nackMethod, 2, 0), returned,
		confirmFrame(2, ackMethod, 9, multipleFlag), confirmFrame(2, nackMethod, 11, multipleFlag), selectOk(3), confirmFrame(3, ackMethod, 1, 0), sameSize,
		confirmFrame(2, ackMethod, 12, 0))
	want := slices.Concat(flowOk, selectOk(2), heartbeat, returned, selectOk(3), confirmFrame(3, ackMethod, 1, 0), sameSize)
	for name, from := range map[string]io.Reader{"at once": bytes.NewReader(stream), "octet by octet": iotest.OneByteReader(bytes.NewReader(stream))} {
		var settled []string
		ic := newInterceptor(source{Reader: from}, new(atomic.Bool))
		c := ic.takeConfirms(func(tag uint64, multiple, ack bool) {
			settled = append(settled, fmt.Sprint(tag, multiple, ack))
		})
		library, err := io.ReadAll(ic)
		if err != nil || !bytes.Equal(library, want) {
			t.Errorf("%s: the library gets %q, want %q; %v", name, library, want, err)
		}
		if want := []string{"1 false true", "2 false false", "9 true true", "11 true false", "12 false true"}; !slices.Equal(settled, want) || c.channel != 2 {
			t.Errorf("%s: settled %q on channel %d, want %q", name, settled, c.channel, want)
		}
	}
}

// Confirms that are read after a session has ended must not settle messages of the next one.
func TestConfirmsThatAreReadAfterTheSessionSettleNothing(t *testing.T) {
	ic := newInterceptor(source{Reader: bytes.NewReader(confirmFrame(2, ackMethod, 1, 0))}, new(atomic.Bool))
	c := ic.takeConfirms(func(uint64, bool, bool) { t.Error("settled") })
	c.channel = 2
	c.end()
	if library, err := io.ReadAll(ic); len(library) > 0 || err != nil {
		t.Errorf("the library gets %q, %v", library, err)
	}
}

func TestAMultipleConfirmSettlesEveryMessageBeforeIt(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 10, time.Hour)
	o.open()
	put(o, &out, "abcdef")
	for range 5 {
		o.take(time.Now())
	}
	o.settle(2, Refused)
	o.settleTo(4, Confirmed)
	out.expect(t, "b refused", "a confirmed", "c confirmed", "d confirmed")
	o.settleTo(100, Confirmed) // nothing beyond what was sent
	out.expect(t, "e confirmed")
	o.settleTo(100, Confirmed)
	out.expect(t)
}
