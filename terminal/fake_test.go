package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// now is the time of the bridge in these tests.
var now = time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)

// fakeLink is a bridge that answers as the test says.
type fakeLink struct {
	broker  string
	answers map[string]string // by op
	asked   []map[string]any
	log     []string // replies, the first of which has the number 1
	outcome Outcome
	replies []*Reply // to a command
	sent    Command
	events  []Event
	listens []Selection
	stays   bool // Listen goes on after the events until its context ends
}

func (f *fakeLink) Hello() Hello {
	seq := f.seq(len(f.log) - 1)
	return Hello{Name: "bridge", Broker: f.broker, Epoch: "e", Seq: &seq}
}
func (f *fakeLink) Now() time.Time { return now }
func (f *fakeLink) Close() error   { return nil }

func (f *fakeLink) Ask(_ context.Context, op string, fields map[string]any) (json.RawMessage, error) {
	f.asked = append(f.asked, fields)
	if op == "log" && f.log != nil {
		return f.page(fields), nil
	}
	answer, ok := f.answers[op]
	if !ok {
		return nil, &BridgeError{"away", "the bridge is not linked to the broker"}
	}
	return json.RawMessage(answer), nil
}

// page answers a request for a page of the log.
func (f *fakeLink) page(fields map[string]any) json.RawMessage {
	at := len(f.log) - 1
	if after, ok := fields["after"].(uint64); ok {
		at = sort.Search(len(f.log), func(i int) bool { return f.seq(i) > after })
	}
	if at < 0 || at >= len(f.log) {
		return json.RawMessage(`{"epoch": "e", "oldest": 1, "more": false, "next": 0, "entries": []}`)
	}
	return json.RawMessage(fmt.Sprintf(`{"epoch": "e", "oldest": 1, "more": true, "next": %d, "entries": [%s]}`, f.seq(at), f.log[at]))
}

// seq returns the number of a reply in the log, or 0.
func (f *fakeLink) seq(at int) uint64 {
	var r struct{ Seq uint64 }
	if at >= 0 {
		_ = json.Unmarshal([]byte(f.log[at]), &r)
	}
	return r.Seq
}

func (f *fakeLink) Send(_ context.Context, c Command, started func(string), heard func(*Reply)) Outcome {
	f.sent = c
	started("id-1")
	for _, r := range f.replies {
		heard(r)
	}
	f.outcome.ID = "id-1"
	return f.outcome
}

func (f *fakeLink) Listen(ctx context.Context, selections []Selection, each func(Event) error) error {
	f.listens = selections
	for _, event := range f.events {
		if err := each(event); err != nil {
			return err
		}
	}
	if f.stays {
		<-ctx.Done()
	}
	return ctx.Err()
}

// run runs a subcommand on the link.
func (f *fakeLink) run(t *testing.T, change func(*Env), do func(context.Context, *Env) error) (stdout, stderr string, err error) {
	t.Helper()
	if f.broker == "" {
		f.broker = "up"
	}
	var out, notes bytes.Buffer
	e := &Env{Stdout: &out, Stderr: &notes, Dial: func(context.Context) (Link, error) { return f, nil }}
	if change != nil {
		change(e)
	}
	err = do(t.Context(), e)
	return out.String(), notes.String(), err
}

// reply returns a reply that was heard some time before now.
func reply(seq uint64, sender, code, body string, before time.Duration) *Reply {
	return &Reply{Raw: fmt.Appendf(nil, `{"body": %s, "seq": %d}`, body, seq), Sender: sender, Code: code, Body: json.RawMessage(body), Seq: seq, Epoch: "e", Heard: now.Add(-before)}
}

func withJSON(e *Env) { e.JSON = true }

// wantCode checks the exit code of an error.
func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	if got := ExitCode(err); got != code {
		t.Errorf("the exit code is %d, want %d: %v", got, code, err)
	}
}
