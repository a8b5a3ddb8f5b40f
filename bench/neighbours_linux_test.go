package bench

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

func TestADelayCountsForThePingsThatItPrevented(t *testing.T) {
	var d delays
	d.add(2*time.Millisecond, 5*time.Millisecond)
	d.add(12*time.Millisecond, 5*time.Millisecond)
	if want := (delays{2, 12, 7, 2}); !slices.Equal(d, want) {
		t.Errorf("%v, not %v", d, want)
	}
}

func TestASummaryIsThatOfTheWorstClient(t *testing.T) {
	var w probeResult
	w.v1.merge(delays{1, 1, 9})
	w.v1.merge(delays{2, 2, 2})
	w.plain.merge(delays{3, 3, 3})
	if want := (delaySummary{p50: 2, p99: 9, max: 9}); w.v1 != want {
		t.Errorf("%v, not %v", w.v1, want)
	}
	if want := (delaySummary{p50: 3, p99: 9, max: 9}); w.worstClient() != want {
		t.Errorf("%v, not %v", w.worstClient(), want)
	}
}

func TestAGoalMissedByFarNeedsNoOtherRound(t *testing.T) {
	d := disturbance{goals: []goal{medianPingWithin(5), maxPingWithin(100)}}
	for name, test := range map[string]struct {
		met  delaySummary
		want bool
	}{
		"reached":        {delaySummary{p50: 1, max: 50}, false},
		"missed":         {delaySummary{p50: 10, max: 400}, false},
		"missed by far":  {delaySummary{p50: 1, max: 1001}, true},
		"median too far": {delaySummary{p50: 51, max: 60}, true},
	} {
		if got := d.isFarOff(probeResult{v1: test.met}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestAnOpIsFoundWithAndWithoutASpace(t *testing.T) {
	for text, want := range map[string]bool{
		`{"op":"pong","id":"1"}`:          true,
		`{"op": "pong", "id": "1"}`:       true,
		`{"op": "pongs"}`:                 false,
		`{"headers": {}, "op": "pong"}`:   false,
		`{"op": "error", "op": "pong"}`:   false,
		`{"op":`:                          false,
		`pong`:                            false,
		`{"id": "pong", "body": {"op":1}`: false,
	} {
		if got := isOp([]byte(text), "pong"); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestTheSeqOfAPongIsRead(t *testing.T) {
	for text, want := range map[string]uint64{
		`{"op":"pong","id":"1","epoch":"5f0c","seq":57}`:       57,
		`{"op": "pong", "id": "1", "epoch": "5f", "seq": 190}`: 190,
		`{"op":"pong","id":"1","epoch":"5f0c","seq":null}`:     0,
	} {
		p := pinger{seq: 7}
		if p.readSeq([]byte(text)); p.seq != want {
			t.Errorf("%s: %d", text, p.seq)
		}
	}
}

// payload is that of a client's frame, whose masking key is 0.
func payload(t *testing.T, frame []byte) (ws.Header, []byte) {
	t.Helper()
	r := bytes.NewReader(frame)
	header, err := ws.ReadHeader(r)
	if err != nil || header.Length != int64(r.Len()) || !header.Masked || header.Mask != [4]byte{} {
		t.Fatalf("%+v, %v, %d bytes behind it", header, err, r.Len())
	}
	rest, _ := io.ReadAll(r)
	return header, rest
}

func TestABombOfOneAndAHalfKilobytesInflatesToAMebibyte(t *testing.T) {
	frame, err := bomb()
	if err != nil {
		t.Fatal(err)
	}
	header, packed := payload(t, frame)
	if r1, _, _ := ws.RsvBits(header.Rsv); !r1 || len(packed) > 1600 {
		t.Errorf("%+v, %d bytes", header, len(packed))
	}
	// The end that RFC 7692 has a sender leave out, and a last block.
	text, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(packed), bytes.NewReader([]byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))))
	if err != nil || !json.Valid(text) || len(text) > maxMessageBytes || len(text) < maxMessageBytes-100 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestAnObjectHasItsKeysAndFitsIntoAMessage(t *testing.T) {
	text := manyKeys(objectKeys)
	var object map[string]int
	if err := json.Unmarshal(text, &object); err != nil || len(object) != objectKeys || len(text) > maxMessageBytes || len(text) < maxMessageBytes-10_000 {
		t.Errorf("%d keys in %d bytes, %v", len(object), len(text), err)
	}
	if _, got := payload(t, textFrame(text)); !bytes.Equal(got, text) {
		t.Error("the frame holds something else")
	}
}

func TestPatternsAreAtTheLimitsOfAFilter(t *testing.T) {
	for name, patterns := range map[string][]string{"hard": hardPatterns(""), "another's": hardPatterns("19.3"), "keywords": keywordPatterns("")} {
		slices.Sort(patterns)
		if n := len(slices.Compact(patterns)); n != maxPatterns {
			t.Errorf("%s: %d of them differ", name, n)
		}
		for _, p := range patterns {
			if len(p) > maxIDBytes || p[0] != '*' {
				t.Errorf("%s: %s", name, p)
			}
		}
	}
}

func TestAProbeAtItsLimitCountsTheWait(t *testing.T) {
	silent := func() (time.Duration, error) {
		time.Sleep(20 * time.Millisecond) // of the bubble
		return 20 * time.Millisecond, io.ErrUnexpectedEOF
	}
	synctest.Test(t, func(t *testing.T) {
		found, err := probe(t.Context(), time.Now().Add(20*time.Millisecond), 5*time.Millisecond, silent)
		if !errors.Is(err, errProbeTimeout) || !slices.Equal(found, delays{20, 15, 10, 5}) {
			t.Errorf("%v, %v", found, err)
		}
		if _, err := probe(t.Context(), time.Now().Add(time.Second), 5*time.Millisecond, silent); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a connection that was lost before: %v", err)
		}
	})
}
