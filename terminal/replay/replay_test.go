package replay_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/terminal/recording"
	"github.com/clu-ws/clu-ws/terminal/replay"
)

const header = `{"clu_ws_recording": 1, "start": "2026-11-21T03:38:40Z"}`

// at returns a line with a reply that was heard so many seconds after the first.
func at(seconds int, key string) string {
	return fmt.Sprintf(`{"headers": {"command_id": "c%d", "commander_id": "bridge.dome", "internal": false, "message_code": ":", "sender": "dome", "big": 5853498713190525696, "x": [1.5, {"a": null}]},`+
		` "exchange": "sdss_exchange", "message_id": "m", "routing_key": %q, "timestamp": "2026-11-21T03:38:40+00:00", "body": {"n": 5853498713190525697}, "seq": 1, "epoch": "e", "heard": %d}`,
		seconds, key, time.Date(2026, 11, 21, 3, 38, 40+seconds, 0, time.UTC).UnixMicro())
}

// published is a message and when it was published.
type published struct {
	amqpx.Message
	after time.Duration
}

// play replays lines.
func play(t *testing.T, o replay.Options, lines ...string) (all []published, report replay.Report, err error) {
	t.Helper()
	r, err := recording.NewReader(strings.NewReader(header + "\n" + strings.Join(lines, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		report, err = replay.Run(t.Context(), r, o, func(_ context.Context, m amqpx.Message) error {
			all = append(all, published{m, time.Since(began)})
			return nil
		})
	})
	return all, report, err
}

// ids returns the command ids.
func ids(all []published) (s string) {
	for _, m := range all {
		s += fmt.Sprint(m.Headers["command_id"], "@", m.after, " ")
	}
	return s
}

func TestRepliesComeAtTheirPaceTimesTheSpeed(t *testing.T) {
	lines := []string{at(0, "reply.bridge.dome"), at(2, "reply.bridge.dome"), at(10, "reply.broadcast")}
	for speed, want := range map[float64]string{0: "c0@0s c2@2s c10@10s ", 4: "c0@0s c2@500ms c10@2.5s "} {
		all, report, err := play(t, replay.Options{Speed: speed}, lines...)
		if got := ids(all); got != want || err != nil || report.Published != 3 {
			t.Errorf("at speed %v: %s, %+v, %v", speed, got, report, err)
		}
	}
}

func TestAPartIsReplayed(t *testing.T) {
	lines := []string{at(0, "reply.x"), at(2, "reply.x"), at(4, "reply.x"), at(6, "reply.x")}
	for _, o := range []replay.Options{{From: "1s", To: "5s"}, {From: "2026-11-21T03:38:42Z", To: "2026-11-21T03:38:44Z"}} {
		if all, _, err := play(t, o, lines...); ids(all) != "c2@0s c4@2s " || err != nil {
			t.Errorf("%+v: %s, %v", o, ids(all), err)
		}
	}
	for _, o := range []replay.Options{{From: "yesterday"}, {From: "5s", To: "5s"}, {Speed: -1}, {To: "-3s"}} {
		if _, _, err := play(t, o, lines...); err == nil {
			t.Errorf("%+v is no error", o)
		}
	}
}

func TestAMessageIsWhatItWas(t *testing.T) {
	all, _, err := play(t, replay.Options{}, at(0, "reply.bridge.dome"))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	m := all[0]
	if m.Key != "reply.bridge.dome" || m.CorrelationId != "c0" || m.MessageId != "m" || string(m.Body) != `{"n": 5853498713190525697}` ||
		m.Headers["commander_id"] != "bridge.dome" || m.Headers["internal"] != false || m.Headers["big"] != int64(5853498713190525696) {
		t.Errorf("got %+v", m)
	}
	if err := m.Headers.Validate(); err != nil {
		t.Error(err)
	}
	if want := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC); !m.Timestamp.Equal(want) {
		t.Errorf("its time is %v", m.Timestamp)
	}
}

func TestACommandIsNeverSent(t *testing.T) {
	all, report, err := play(t, replay.Options{}, at(0, "command.dome"), at(0, ""), at(1, "reply.x"), `{"op": "gap", "heard": 5}`)
	if err != nil || ids(all) != "c1@0s " || report.Left != 2 || report.Gaps != 1 {
		t.Errorf("published %s, %+v, %v", ids(all), report, err)
	}
}

func TestWhatCannotBePublishedEndsIt(t *testing.T) {
	r, err := recording.NewReader(strings.NewReader(header + "\n" + at(0, "reply.x") + "\n" + at(0, "reply.x") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	report, err := replay.Run(t.Context(), r, replay.Options{}, func(context.Context, amqpx.Message) error { return broken })
	if !errors.Is(err, broken) || report.Published != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A recorder was killed, and another one has gone on in its file.
func TestWhatIsBehindATornLineIsReplayed(t *testing.T) {
	torn := at(1, "reply.x")[:100]
	timeless := strings.Split(at(3, "reply.x"), `, "heard"`)[0] + "}"
	all, report, err := play(t, replay.Options{}, at(0, "reply.x"), torn+header, header, "\x00\x00", "", "[1]", timeless, at(4, "reply.x"))
	if err != nil || ids(all) != "c0@0s c3@0s c4@4s " || report.Left != 5 {
		t.Errorf("published %s, %+v, %v", ids(all), report, err)
	}
}

func TestOptionsAreCheckedBeforeThereIsARecording(t *testing.T) {
	for _, o := range []replay.Options{{Speed: -1}, {Speed: 1e-300}, {Speed: math.NaN()}, {From: "x"}, {To: "-5m"}} {
		if o.Check() == nil {
			t.Errorf("%+v is no error", o)
		}
	}
	for _, o := range []replay.Options{{}, {Speed: math.Inf(1)}, {From: "10m", To: "2026-11-21T03:38:40Z"}, {From: "2026-11-21T03:38:40Z", To: "10m"}} {
		if err := o.Check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
