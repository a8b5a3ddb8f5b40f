package bridge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func limited(limits string) map[string]string {
	return map[string]string{
		"ana": fmt.Sprintf(`{"hear": [{}], "command": [{}], "limits": %s}`, limits),
		"bob": fmt.Sprintf(`{"hear": [{}], "command": [{}], "limits": %s}`, limits),
	}
}

// status connects with a name's token, and returns the status of the answer.
func (g *guarded) status(name string) int { return g.statusAt(name, "/") }

func (g *guarded) statusAt(name, target string) int {
	g.t.Helper()
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"Authorization": {"Bearer " + g.tokens[name]}}}
	c, err := testkit.OpenWebSocket(g.t.Context(), dialer, "ws://"+g.addr+target)
	if status, refused := err.(ws.StatusError); refused {
		return int(status)
	} else if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	return http.StatusSwitchingProtocols
}

func TestAUserHasOnlySoManyConnections(t *testing.T) {
	g := guard(t, embeddedBroker(t), limited(`{"connections": 2}`))
	first, _ := g.v1("ana"), g.v1("ana")
	if status := g.status("ana"); status != http.StatusTooManyRequests {
		t.Errorf("a third connection gets %d", status)
	}
	if status := g.status("bob"); status != http.StatusSwitchingProtocols {
		t.Errorf("another user gets %d", status)
	}
	first.Close()
	testkit.WaitUntil(t, "there is room for another connection", func() bool { return g.status("ana") == http.StatusSwitchingProtocols })
}

func TestAllConnectionsOfAUserAndItsRequestsOverHTTPShareItsCommands(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, limited(`{"command-rate": 0.3}`)) // three at once
	p := newPeer(t, url)
	commands := p.hear("command.#")
	v1, plain := g.v1("ana"), g.as("ana", "/")
	v1.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open"}`)
	v1.answer("ok")
	plain.say(`{"consumer": "dome", "command_string": "open"}`)
	testkit.Receive(t, commands)
	testkit.Receive(t, commands)
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`); w.Code != http.StatusAccepted {
		t.Fatalf("the third command gets %d %v", w.Code, m)
	}
	v1.say(`{"op": "command", "id": "2", "consumer": "dome", "command_string": "open", "command_id": "mine"}`)
	if m := v1.answer("error", "ok"); m["code"] != "rate" || m["id"] != "2" || m["command_id"] != "mine" || !strings.Contains(fmt.Sprint(m["message"]), "0.3 commands a second") {
		t.Errorf("a fourth command gets %v", m)
	}
	plain.say(`{"consumer": "dome", "command_string": "open"}`)
	if m := plain.next(); !strings.Contains(m.errorText(), "try again in") {
		t.Errorf("a fourth plain command gets %v", m)
	}
	w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`)
	if w.Code != http.StatusTooManyRequests || m["code"] != "rate" || w.Header().Get("Retry-After") == "" {
		t.Errorf("a fourth command over HTTP gets %d %v %v", w.Code, w.Header(), m)
	}
	bob := g.v1("bob")
	bob.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open"}`)
	bob.answer("ok")
	// What is forbidden is forbidden, whatever the rate.
	g.change("ana", `{"hear": [{}], "limits": {"command-rate": 0.3}}`)
	v1.answer("access")
	v1.say(`{"op": "command", "id": "3", "consumer": "dome", "command_string": "open"}`)
	if m := v1.answer("error", "ok"); m["code"] != "forbidden" {
		t.Errorf("a forbidden command gets %v", m)
	}
}

func TestAllMessagesOfAUserCountExceptThoseThatRenew(t *testing.T) {
	g := guard(t, embeddedBroker(t), limited(`{"message-rate": 0.2}`)) // two at once
	a, b, plain := g.v1("ana"), g.v1("ana"), g.as("ana", "/")
	a.say(`{"op": "ping"}`)
	a.answer("pong")
	b.say(`{"op": "ping"}`)
	b.answer("pong")
	b.say(`{"op": "ping", "id": "x"}`)
	if m := b.answer("error", "pong"); m["code"] != "rate" || m["id"] != "x" {
		t.Errorf("a third message gets %v", m)
	}
	plain.say(`{"consumer": "dome", "command_string": "open"}`)
	if m := plain.next(); !strings.Contains(m.errorText(), "The message was not read") {
		t.Errorf("a third message of a plain client gets %v", m)
	}
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`); w.Code != http.StatusTooManyRequests || m["code"] != "rate" {
		t.Errorf("a third message over HTTP gets %d %v", w.Code, m)
	}
	for _, text := range []string{"ping", "nonsense", `[]`} {
		plain.say(text)
		if m := plain.next(); !strings.Contains(m.errorText(), "The message was not read") {
			t.Errorf("%s as a third message gets %v", text, m)
		}
	}
	b.say("nonsense")
	if m := b.answer("error"); m["code"] != "rate" {
		t.Errorf("nonsense as a third message gets %v", m)
	}
	b.say(fmt.Sprintf(`{"op": "auth", "id": "r", "token": %q}`, g.tokens["ana"]))
	if m := b.answer("error", "ok"); m["op"] != "ok" {
		t.Errorf("a renewal gets %v", m)
	}
}
