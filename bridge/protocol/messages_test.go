package protocol

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// at is a moment, and atText what messages have of it.
var at = time.Date(2026, 11, 21, 3, 38, 40, 123456789, time.FixedZone("", 7*3600))

const atText = "2026-11-20T20:38:40.123456+00:00"

func TestMessagesAreEncodedWithTheirFieldsInOrder(t *testing.T) {
	id, seq, no := "<a>", uint64(57), false
	long := strings.Repeat(`"x",`, 10_000)
	for want, frame := range map[string]engine.Frame{
		`{"op":"pong","id":"<a>","data":[1, "b"],"time":"` + atText + `","epoch":"5f0c","seq":57}`:   Pong(&id, []byte(`[1, "b"]`), at, "5f0c", &seq),
		`{"op":"pong","id":null,"time":"` + atText + `","epoch":"5f0c","seq":null}`:                  Pong(nil, nil, at, "5f0c", nil),
		`{"op":"pong","id":null,"data":[` + long + `1],"time":"` + atText + `","epoch":"","seq":0}`:  Pong(nil, []byte("["+long+"1]"), at, "", new(uint64)),
		`{"op":"gap","from":"` + atText + `","to":"2026-11-20T20:38:42.623457+00:00","seconds":2.5}`: EncodeGap(at, at.Add(2500*time.Millisecond+211)),
		`{"op":"gap","from":null,"to":"` + atText + `","seconds":null}`:                              EncodeGap(time.Time{}, at),
		`{"op":"error","id":"<a>","code":"bad_request","message":"no \"x\""}`:                        BadRequest(&id, errors.New(`no "x"`)),
		`{"op":"ok","id":null,"resumed":false,"reason":"another epoch","epoch":"5f0c","seq":57}`:     Encode(OK{Op: "ok", Resumed: &no, Reason: "another epoch", Epoch: "5f0c", Seq: &seq}),
		`{"op":"dropped","count":57}`: Encode(Dropped{Op: "dropped", Count: seq}),
	} {
		if got := string(frame.Payload()); got != want {
			t.Errorf("got  %.300s\nwant %.300s", got, want)
		}
	}
}

func TestWhatJSONCannotExpressIsAFaultOfTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an infinite number is encoded")
		}
	}()
	JSON(math.Inf(1))
}
