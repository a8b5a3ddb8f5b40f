package bridge

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A client whose new ticket could not be decided on did what it could: it is not closed when its
// old one expires, but when the time of grace has passed.
func TestATicketThatCannotBeDecidedOnDoesNotEndTheSession(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.says(200, `{"status": "ok", "name": "ana", "role": "viewer", "expires_in": 120}`)
	c := h.open("/?ticket=t1", nil, Subprotocol)
	next(t, c)
	testkit.Receive(t, app.asked)
	h.awaitDeadlines(1)
	app.says(502, "")
	c.Send(`{"op": "auth", "id": "a", "ticket": "t2"}`)
	if m := nextOp(t, c, "error"); m["id"] != "a" || m["code"] != "undecided" {
		t.Errorf("the ticket is answered with %v", m)
	}
	h.pass(9 * time.Minute)
	c.Send(`{"op": "ping", "id": "p"}`)
	if m := nextOp(t, c, "pong"); m["id"] != "p" {
		t.Errorf("nine minutes later: %v", m)
	}
	h.pass(2 * time.Minute)
	if code, _ := closes(t, c); code != 3000 {
		t.Errorf("after the time of grace it is closed with %d", code)
	}
}
