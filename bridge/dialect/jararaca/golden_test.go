package jararaca

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// golden is what Jararaca did, one case a line, with a small application of its own.
//
//go:embed testdata/golden.jsonl
var golden string

// recordedCases is how many cases there are.
const recordedCases = 19

type recordedCase struct {
	Case  string `json:"case"`
	Steps []step `json:"steps"`
}

// step is something that happened. The fields that are set say what.
type step struct {
	Client   int                     `json:"client"`
	Connects string                  `json:"connects"`
	Refused  int                     `json:"refused"`
	Gets     testkit.RecordedPayload `json:"gets"`
	Sends    testkit.RecordedPayload `json:"sends"`
	Binary   bool                    `json:"binary"`
	Closes   int                     `json:"closes"`
	Closed   int                     `json:"closed"`
	HTTP     string                  `json:"http"` // to the application
	Service  *sent                   `json:"service_publishes"`
	Backend  *sent                   `json:"backend_publishes"`
}

// sent is a message on a Redis channel.
type sent struct {
	Channel string `json:"redis_channel"`
	Base64  []byte `json:"base64"`
}

// differs are the steps that do not happen, by case, and what happens in the end instead, with the reason. docs/migrating.md has the reasons, too.
var differs = map[string]struct {
	without []int
	then    string
	why     string
}{
	"send to two rooms, a client in both":                {[]int{6}, "", "a client in two of the rooms gets a message once"},
	"published by a backend straight on Redis: send":     {[]int{5}, "", "a client in two of the rooms gets a message once"},
	"client joins a room later, and the same room twice": {[]int{7}, "", "what a text message does is the application's"},
	"client sends a binary frame":                        {[]int{2}, `{"client": 1, "gets": "{\"MESSAGE_ID\":\"note\",\"message\":{\"text\":\"hi\",\"n\":1}}"}`, "what a client sends is the application's, and ignored"},
}

// recorded returns the cases, without the steps that do not happen.
func recorded(t *testing.T) (cases []recordedCase) {
	t.Helper()
	differ := 0
	for line := range strings.Lines(golden) {
		var c recordedCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if of, ok := differs[c.Case]; ok {
			differ++
			for _, i := range of.without {
				if c.Steps[i].Client == 0 {
					t.Fatalf("%s: the step %d is none of a client", c.Case, i)
				}
				c.Steps = append(c.Steps[:i:i], c.Steps[i+1:]...)
			}
			var then []step
			if err := json.Unmarshal([]byte("["+of.then+"]"), &then); err != nil {
				t.Fatal(err)
			}
			c.Steps = append(c.Steps, then...)
		}
		cases = append(cases, c)
	}
	if len(cases) != recordedCases || differ != len(differs) {
		t.Fatalf("there are %d cases, of which %d differ; want %d and %d", len(cases), differ, recordedCases, len(differs))
	}
	return cases
}

// Pages of a Jararaca application get from the bridge what they got from Jararaca.
func TestWhatWasRecordedOfJararacaHappensAgain(t *testing.T) {
	h := newHarness(t, Config{Routes: []Route{{Path: "/chat/ws", Join: []string{"{?rooms}"}, Split: "|"}}})
	for _, c := range recorded(t) {
		pages := map[int]*page{}
		for i, s := range c.Steps {
			if err := h.replay(pages, &s); err != nil {
				t.Fatalf("%s, step %d: %v", c.Case, i, err)
			}
		}
		h.publish(broadcastChannel, []byte("the end"))
		for n, p := range pages {
			if err := p.gets([]byte("the end")); err != nil {
				t.Errorf("%s: the client %d got more: %v", c.Case, n, err)
			}
			p.Close()
		}
		h.awaitEmpty()
	}
}

// replay does and expects what a step says.
func (h *harness) replay(pages map[int]*page, s *step) error {
	h.t.Helper()
	p := pages[s.Client]
	switch {
	case s.Service != nil:
		h.publish(s.Service.Channel, s.Service.Base64)
	case s.Backend != nil:
		h.publish(s.Backend.Channel, s.Backend.Base64)
	case s.HTTP != "": // what comes of it is a step of its own
	case s.Connects != "":
		p, status := h.connect(s.Connects)
		if p == nil && status != 403 {
			return fmt.Errorf("the client is refused with %d", status)
		}
		pages[s.Client] = p
	case s.Refused != 0:
		if delete(pages, s.Client); p != nil {
			return errors.New("the client is not refused")
		}
	case p == nil:
		return errors.New("there is no such client")
	case s.Gets.Given:
		return p.gets(s.Gets.Bytes)
	case s.Sends.Given:
		op := ws.OpText
		if s.Binary {
			op = ws.OpBinary
		}
		return ws.WriteFrame(p, ws.MaskFrame(ws.NewFrame(op, true, s.Sends.Bytes)))
	case s.Closes != 0:
		delete(pages, s.Client)
		return ws.WriteFrame(p, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(s.Closes), ""))))
	default:
		return errors.New("the step is not understood")
	}
	return nil
}
