package actor

import (
	"errors"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

// There is no broker: the outcome is given to the client directly.
func TestEachOutcomeOfPublishingHasAStatus(t *testing.T) {
	for _, test := range []struct {
		outcome amqpx.Outcome
		heard   bool // a reply was received before the outcome
		want    string
	}{
		{amqpx.Confirmed, false, "runs"},
		{amqpx.Returned, false, "unroutable"},
		{amqpx.Refused, false, "unknown"},
		{amqpx.Refused, true, "runs"},
		{amqpx.Disconnected, false, "unsent"},
		{amqpx.Blocked, false, "unsent"},
		{amqpx.Full, false, "unsent"},
		{amqpx.Expired, false, "unsent"},
		{amqpx.Unknown, false, "unknown"},
		{amqpx.Unknown, true, "runs"},
	} {
		c, err := NewClient(Config{Link: amqpx.Config{URLs: []string{"amqp://localhost/"}}})
		if err != nil {
			t.Fatal(err)
		}
		p := newPending(NewCommand(c.name, "dome", "open", ""), nil)
		p.release = func() { c.unregister(p) }
		if err := c.register(p); err != nil {
			t.Fatal(err)
		}
		if test.heard {
			p.add(Reply{Code: Running})
		}
		c.onOutcome(p, test.outcome)
		got := "runs"
		var e *CommandError
		if p.ended {
			if !errors.As(p.err, &e) || e.Reason != OutcomeText(test.outcome, "dome") {
				t.Errorf("%v: the error is %v", test.outcome, p.err)
			}
			got = p.status.String()
		}
		if got != test.want {
			t.Errorf("%v: the command is %s, want %s", test.outcome, got, test.want)
		}
		if free := len(c.pending) == 0; free != p.ended {
			t.Errorf("%v: it is no longer followed: %v", test.outcome, free)
		}
	}
}

func TestEveryFailedOutcomeHasATextOfItsOwn(t *testing.T) {
	seen := map[string]amqpx.Outcome{}
	for outcome := amqpx.Returned; outcome <= amqpx.Unknown; outcome++ {
		text := OutcomeText(outcome, "dome")
		if other, taken := seen[text]; taken || !strings.HasSuffix(text, ".") {
			t.Errorf("%v says %q, like %v", outcome, text, other)
		}
		seen[text] = outcome
	}
	if text := OutcomeText(amqpx.Confirmed, "dome"); text != "" {
		t.Errorf("a confirmed command failed: %q", text)
	}
}
