package rooms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// resumingHarness is a bridge's rooms that can be resumed in, without clients.
type resumingHarness struct {
	*Resuming
	messages *Sequencer
}

func newResumingHarness(limit int) resumingHarness {
	var h resumingHarness
	h.messages = NewSequencer(func(m *Message) { h.Deliver(m) }, nil)
	h.Resuming = NewResuming(h.messages, nil, "e", limit)
	return h
}

// publish publishes a message for rooms.
func (h resumingHarness) publish(body string, paths ...string) {
	var messages []Message
	for _, path := range paths {
		messages = append(messages, Message{Path: path, Format: FormatRaw, Body: []byte(body), Whole: []byte(body)})
	}
	for i := range messages { // they share the bytes
		messages[i].Whole = messages[0].Whole
	}
	h.messages.Take(messages...)
}

// missed describes what somebody missed in a room.
func (h resumingHarness) missed(path string, seq uint64) (text string) {
	h.Begin(path, FormatRaw, Since{"e", seq}, func(m Missed) {
		for _, m := range m.Messages {
			text += string(m.Body) + " "
		}
		text += fmt.Sprintf("%v %s since %s.", *m.Answer.Resumed, m.Answer.Reason, m.Answer.Since)
	})
	return text
}

func TestARoomIsResumedInHoweverMuchComesForOthers(t *testing.T) {
	h := newResumingHarness(20 * keptOverhead)
	h.publish("q1", "/quiet")
	h.publish("b", "/busy")
	quiet, gapped := &Source{Path: "/quiet", Format: FormatRaw}, &Source{Path: "/gapped", Format: FormatRaw}
	h.Gap(gapped, time.Time{}, time.Time{})
	for range 100 {
		h.publish("b", "/busy")
	}
	expect := func(path string, seq uint64, want string) {
		t.Helper()
		if got := h.missed(path, seq); !strings.HasPrefix(got, want) {
			t.Errorf("%s after %d: %q, want %q", path, seq, got, want)
		}
	}
	expect("/quiet", 1, "true  since e:103")
	expect("/quiet", 0, "false messages since then are not kept any more since e:103")
	expect("/busy", 2, "false messages since then")
	expect("/gapped", 2, "false messages since then")
	expect("/gapped", 3, "true ")
	h.publish("q2", "/quiet")
	h.publish("q3", "/quiet")
	expect("/quiet", 1, "q2 q3 true  since e:1.") // which it gives again if these do not reach it
	h.Gap(quiet, time.Time{}, time.Time{})
	expect("/quiet", 1, "false messages of its source may have been lost since then since e:106")
	for i := range maxRooms + 20 {
		h.publish("other", fmt.Sprint("/", i))
	}
	known := h.recent.evicted.other // since when it is known which rooms had messages
	if known == 0 {
		t.Error("too many rooms are remembered")
	}
	expect("/never", known-1, "false ")
	expect("/never", known, "true ")
}

// The messages of a publication for many rooms share its bytes, and do not push each other out.
func TestAPublicationForManyRoomsCountsOnce(t *testing.T) {
	h := newResumingHarness(64 << 10)
	var paths []string
	for i := range 100 {
		paths = append(paths, fmt.Sprint("/", i))
	}
	for range 3 {
		h.publish(strings.Repeat("x", 10<<10), paths...)
	}
	if n, bytes := len(h.recent.kept), h.recent.bytes; n != 176 || bytes != n*keptOverhead+20<<10 {
		t.Errorf("%d messages are kept, of %d bytes", n, bytes)
	}
}

// Of a publication for several rooms a client has one message, also if it resumes when some of them are not kept any more.
func TestAPublicationThatIsKeptInPartDoesNotComeAgain(t *testing.T) {
	h := newResumingHarness(4 * keptOverhead)
	h.publish("", "/a", "/b", "/c")
	follower := func(seq uint64, paths ...string) (came int) {
		f := &Follower{paths: paths}
		had, missed, lost := h.recent.since(Since{"e", seq}, wantedBy(paths), f.hears)
		if f.had = had; lost != "" {
			return -1
		}
		for _, k := range missed {
			if wantedBy(paths)[k.message.Path] && f.takes(k.message) {
				came++
			}
		}
		return came
	}
	for kept := 3; kept >= 0; kept-- {
		if n := follower(1, "/a", "/c"); n > 0 {
			t.Errorf("with %d kept it comes again", kept)
		}
		if n := follower(0, "/a", "/c"); n != 1 && kept == 3 || n == 0 {
			t.Errorf("with %d kept, %d come of what was missed", kept, n)
		}
		if n := follower(1, "/c"); n != 1 && kept == 3 || n == 0 && kept == 0 {
			t.Errorf("with %d kept, %d come to another room's client", kept, n)
		}
		h.publish("", "/other")
		h.publish("", "/other")
	}
}

// All who resume get the same frames, so that a thousand of them need no more memory than one.
func TestThoseWhoResumeShareTheFrames(t *testing.T) {
	h := newResumingHarness(10 * keptOverhead)
	h.publish(`{"a": 1}`, "/a")
	k := h.recent.kept[0]
	one, two := h.frame(k), h.frame(k)
	if &one[0] != &two[0] || h.recent.frames != len(one) || !strings.Contains(string(one.Payload()), `"since": "e:1", "body": {"a": 1}}`) {
		t.Errorf("got %s and %s, %d bytes", one, two, h.recent.frames)
	}
	for range 20 {
		h.publish(strings.Repeat("\x01", 200), "/a") // whose frame is much longer
		for _, k := range h.recent.kept {
			h.frame(k)
		}
	}
	var bytes int
	for _, k := range h.recent.kept {
		bytes += len(k.frame)
	}
	if bytes != h.recent.frames || bytes > h.recent.limit || bytes == 0 {
		t.Errorf("the frames have %d bytes, which count as %d of %d", bytes, h.recent.frames, h.recent.limit)
	}
}

// BenchmarkKeeping is what each message costs a bridge without a client that resumes.
func BenchmarkKeeping(b *testing.B) {
	for name, limit := range map[string]int{"nothing kept": 0, "16 MiB kept": 16 << 20} {
		b.Run(name, func(b *testing.B) {
			h := newResumingHarness(limit)
			b.ReportAllocs()
			for b.Loop() {
				body := make([]byte, 100)
				h.messages.Take(Message{Path: "/live/x", Format: FormatRaw, Frame: engine.Binary(body), Body: body, Whole: body})
			}
		})
	}
}
