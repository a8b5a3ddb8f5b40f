package amqpx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

func confirmFrame(channel uint16, method string, tag uint64, flags byte) []byte {
	return frame(methodFrame, channel, append(binary.BigEndian.AppendUint64([]byte(method), tag), flags))
}

func TestConfirmsSettleWhereTheyAreReadAndLeaveEverythingElseToTheLibrary(t *testing.T) {
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

// What a session that has ended still reads must not settle what the next one sends.
func TestConfirmsThatAreReadAfterTheSessionSettleNothing(t *testing.T) {
	ic := newInterceptor(source{Reader: bytes.NewReader(confirmFrame(2, ackMethod, 1, 0))}, new(atomic.Bool))
	c := ic.takeConfirms(func(uint64, bool, bool) { t.Error("settled") })
	c.channel = 2
	c.end()
	if library, err := io.ReadAll(ic); len(library) > 0 || err != nil {
		t.Errorf("the library gets %q, %v", library, err)
	}
}

func TestAConfirmOfManySettlesAllThatHaveNotEnded(t *testing.T) {
	var out outcomes
	o := newOutbox(10, 10, time.Second)
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
