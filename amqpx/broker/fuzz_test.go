package broker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"time"
)

// FuzzFrame feeds arbitrary bytes to the frame reader and to the argument and table decoders. They may return
// errors, but must neither panic nor return more than they were given.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 50, 0xCE})
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0xCE})
	f.Add([]byte{1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0})
	nested := []byte("\x01aF\x00\x00\x00\x04\x01bt\x01\x01cA\x00\x00\x00\x02VV\x01dS\x00\x00\x00\x01x")
	buf, mark := beginMethod(nil, 1, queueDeclare)
	f.Add(endFrame(appendLong(buf, string(nested)), mark))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := frameReader{r: bufio.NewReaderSize(bytes.NewReader(in), 64), max: frameMinMax}
		total := 0
		for {
			fr, err := r.next()
			if err != nil {
				break
			}
			if total += len(fr.payload) + frameOverhead; total > len(in) {
				t.Fatalf("read %d bytes out of %d", total, len(in))
			}
			decodeEverything(t, fr.payload)
		}
	})
}

// decodeEverything decodes a payload as the handlers do.
func decodeEverything(t *testing.T, payload []byte) {
	a := args{b: payload}
	a.u32()
	tab := a.table()
	if a.end() == nil {
		rebuilt := 0
		for f := range tab.fields {
			rebuilt += 1 + len(f.name) + 1 + len(f.value)
			_ = tab.table(f.name)
			_ = tab.is(f.name)
		}
		if rebuilt > len(tab) {
			t.Fatalf("a table of %d bytes holds fields of %d", len(tab), rebuilt)
		}
	}
	a = args{b: payload}
	for range 4 {
		a.u16()
		a.name()
		a.flags()
		a.long()
		a.u64()
	}
	if a.end() == nil && len(payload) < 4*16 {
		t.Fatal("arguments were read that are not there")
	}
}

// FuzzWire sends arbitrary bytes after a handshake, and then hangs up. Every goroutine of the connection must
// end, and nothing that it held may be left.
func FuzzWire(f *testing.F) {
	open := func(channel uint16) []byte {
		buf, mark := beginMethod(nil, channel, channelOpen)
		return endFrame(append(buf, 0), mark)
	}
	declare := func() []byte {
		buf, mark := beginMethod(nil, 1, queueDeclare)
		return endFrame(append(appendShort(append(buf, 0, 0), "q"), 4, 0, 0, 0, 0), mark)
	}
	publish := func() []byte {
		buf, mark := beginMethod(nil, 1, basicPublish)
		buf = endFrame(append(appendShort(appendShort(append(buf, 0, 0), ""), "q"), 1), mark)
		header := append(binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, 2), 0, 0)
		return appendContent(buf, 1, &message{header: header, body: []byte("hi")}, frameMinMax)
	}
	consume := func() []byte {
		buf, mark := beginMethod(nil, 1, basicConsume)
		return endFrame(append(appendShort(appendShort(append(buf, 0, 0), "q"), "t"), 0, 0, 0, 0, 0), mark)
	}
	ack := func(id methodID) []byte {
		buf, mark := beginMethod(nil, 1, id)
		return endFrame(append(appendU64(buf, 1), 3), mark)
	}
	bind := func() []byte {
		buf, mark := beginMethod(nil, 1, queueBind)
		buf = appendShort(appendShort(appendShort(append(buf, 0, 0), "q"), "amq.topic"), "a.#.*")
		return endFrame(append(buf, 0, 0, 0, 0, 0), mark)
	}
	f.Add([]byte{}, true)
	f.Add([]byte{}, false)
	f.Add(bytes.Join([][]byte{open(1), declare(), publish(), consume(), publish(), ack(basicAck)}, nil), true)
	f.Add(bytes.Join([][]byte{open(1), declare(), bind(), consume(), publish(), ack(basicNack), ack(basicAck)}, nil), true)
	f.Add(bytes.Join([][]byte{open(1), ack(basicReject), publish(), open(1)}, nil), true)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false)

	f.Fuzz(func(t *testing.T, in []byte, shakeHands bool) {
		b := New(Config{MaxBytes: 1 << 20, MaxBody: 1 << 16})
		client, err := b.Dial("", "")
		if err != nil {
			t.Fatal(err)
		}
		_ = client.SetDeadline(time.Now().Add(time.Minute))
		answers := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(io.Discard, client)
			answers <- n
		}()
		if shakeHands {
			_, _ = client.Write(handshakeBytes())
		}
		_, _ = client.Write(in) // fails once the broker has had enough
		_ = client.Close()
		b.waitEmpty(t)
		if n := <-answers; n > 64<<20 {
			t.Errorf("%d bytes were answered with %d", len(in), n)
		}
		_ = b.Close()
	})
}

// handshakeBytes are all bytes that a client sends up to connection.open. It need not wait for the answers.
func handshakeBytes() []byte {
	buf := []byte(protocolHeader)
	buf, mark := beginMethod(buf, 0, connectionStartOk)
	buf = appendLong(buf, "")
	buf = appendShort(buf, "PLAIN")
	buf = appendLong(buf, "\x00guest\x00guest")
	buf = endFrame(appendShort(buf, "en_US"), mark)
	buf, mark = beginMethod(buf, 0, connectionTuneOk)
	buf = endFrame(append(buf, 0, 0, 0, 0, 0, 0, 0, 0), mark)
	buf, mark = beginMethod(buf, 0, connectionOpen)
	return endFrame(append(appendShort(buf, "/"), 0, 0), mark)
}

// waitEmpty waits for the connections to end, and checks that the counters agree with what is left.
func (b *Broker) waitEmpty(t testing.TB) {
	t.Helper()
	for _, c := range b.snapshotConns() {
		select {
		case <-c.ended:
		case <-time.After(time.Minute):
			t.Fatal("a connection did not end")
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	held, bindings, counted := 0, 0, make(map[*message]bool)
	for _, q := range b.queues {
		if q.owner != nil {
			t.Errorf("exclusive queue %q outlived its connection", q.name)
		}
		for _, e := range q.ready.live() {
			if held += entryCost; !counted[e.msg] {
				counted[e.msg] = true
				held += e.msg.size()
			}
		}
	}
	for _, x := range b.exchanges {
		bindings += len(x.bindings)
	}
	if b.consumers != 0 || b.bindings != bindings || b.memory != held {
		t.Errorf("left over: %d consumers, %d bindings of %d, %d bytes of %d", b.consumers, b.bindings, bindings, b.memory, held)
	}
}
