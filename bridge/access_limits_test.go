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

// oncePer is a rate at which no test lasts until there is another token.
const oncePer = 0.001

func TestAllConnectionsOfAUserAndItsRequestsOverHTTPShareItsCommands(t *testing.T) {
	url := embeddedBroker(t)
	grants := map[string]string{}
	for _, name := range []string{"ana", "bob", "cyd"} {
		grants[name] = fmt.Sprintf(`{"hear": [{}], "command": [{}], "limits": {"command-rate": %v}}`, oncePer) // one at once
	}
	g := guard(t, url, grants)
	commands := newPeer(t, url).hear("command.#")
	const open = `"consumer": "dome", "command_string": "open"`
	v1, plain := map[string]*client{}, map[string]*client{}
	for name := range grants {
		v1[name], plain[name] = g.v1(name), g.as(name, "/")
		// The first command comes in another way from each of them.
		switch name {
		case "ana":
			v1[name].say(`{"op": "command", "id": "1", ` + open + `}`)
			v1[name].answer("ok")
		case "bob":
			plain[name].say(`{` + open + `}`)
		case "cyd":
			if w, m := g.post(name, "/api/command", `{`+open+`}`); w.Code != http.StatusAccepted {
				t.Fatalf("the first command over HTTP gets %d %v", w.Code, m)
			}
		}
		testkit.Receive(t, commands)
		v1[name].say(`{"op": "command", "id": "2", "command_id": "mine", ` + open + `}`)
		if m := v1[name].answer("error", "ok"); m["code"] != "rate" || m["id"] != "2" || m["command_id"] != "mine" || !strings.Contains(fmt.Sprint(m["message"]), "0.001 commands a second") {
			t.Errorf("%s: a second command gets %v", name, m)
		}
		plain[name].say(`{` + open + `}`)
		if m := plain[name].next(); !strings.Contains(m.errorText(), "try again in") {
			t.Errorf("%s: a second plain command gets %v", name, m)
		}
		w, m := g.post(name, "/api/command", `{`+open+`}`)
		if w.Code != http.StatusTooManyRequests || m["code"] != "rate" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: a second command over HTTP gets %d %v %v", name, w.Code, w.Header(), m)
		}
	}
	// What is forbidden is forbidden, whatever the rate.
	g.change("ana", fmt.Sprintf(`{"hear": [{}], "limits": {"command-rate": %v}}`, oncePer))
	ana := v1["ana"]
	ana.answer("access")
	ana.say(`{"op": "command", "id": "3", ` + open + `}`)
	if m := ana.answer("error", "ok"); m["code"] != "forbidden" {
		t.Errorf("a forbidden command gets %v", m)
	}
}

func TestAllMessagesOfAUserCountExceptThoseThatRenew(t *testing.T) {
	g := guard(t, embeddedBroker(t), limited(fmt.Sprintf(`{"message-rate": %v}`, oncePer))) // one at once
	a, b, plain := g.v1("ana"), g.v1("ana"), g.as("ana", "/")
	a.say(`{"op": "ping"}`)
	a.answer("pong")
	b.say(`{"op": "ping", "id": "x"}`)
	if m := b.answer("error", "pong"); m["code"] != "rate" || m["id"] != "x" {
		t.Errorf("a second message gets %v", m)
	}
	plain.say(`{"consumer": "dome", "command_string": "open"}`)
	if m := plain.next(); !strings.Contains(m.errorText(), "The message was not read") {
		t.Errorf("a second message of a plain client gets %v", m)
	}
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`); w.Code != http.StatusTooManyRequests || m["code"] != "rate" {
		t.Errorf("a second message over HTTP gets %d %v", w.Code, m)
	}
	for _, text := range []string{"ping", "nonsense", `[]`} {
		plain.say(text)
		if m := plain.next(); !strings.Contains(m.errorText(), "The message was not read") {
			t.Errorf("%s as a second message gets %v", text, m)
		}
	}
	b.say("nonsense")
	if m := b.answer("error"); m["code"] != "rate" {
		t.Errorf("nonsense as a second message gets %v", m)
	}
	b.say(fmt.Sprintf(`{"op": "auth", "id": "r", "token": %q}`, g.tokens["ana"]))
	if m := b.answer("error", "ok"); m["op"] != "ok" {
		t.Errorf("a renewal gets %v", m)
	}
}
