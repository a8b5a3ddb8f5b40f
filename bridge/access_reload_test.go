package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// TestAReloadReachesClientsThatEnterAtTheSameTime reloads while clients of every kind come: after
// the last reload, nobody has what it took away.
func TestAReloadReachesClientsThatEnterAtTheSameTime(t *testing.T) {
	h := newAccessHarness(t)
	const clients, rounds = 60, 10
	tickets := make(chan int, clients)
	var coming sync.WaitGroup
	for i := range clients {
		coming.Go(func() {
			<-tickets
			h.comeAndStay(i)
		})
	}
	for round := range rounds {
		for i := range clients / rounds {
			tickets <- i
		}
		role := testRoles["observer"]
		if round == rounds-1 {
			role = json.RawMessage(`{"hear": [{"sender": "nobody"}]}`)
		}
		h.reload(func(c *access.Config) {
			c.Roles["observer"] = role
			if round == rounds-1 {
				c.Revoked = []access.Revocation{{Name: "eve"}}
			}
		})
	}
	coming.Wait()
	current, _ := access.ParseGrants(h.config.Roles["observer"])
	h.engine.Each(func(_ engine.Conn, v any) {
		c := v.(*client)
		switch p := c.principal(); {
		case c.Gone() || p == nil:
		case p.Name == "eve":
			t.Errorf("%s, which is revoked, is connected", h.clientID(c.number))
		case p.Grants.Key() != current.Key():
			t.Errorf("%s of %s has %s", h.clientID(c.number), p.Name, p.Grants.JSON())
		case c.v1.Load() != nil && c.v1.Load().Viewer().View.Key() != current.View.Key():
			t.Errorf("%s hears by former grants", h.clientID(c.number))
		}
	})
}

// comeAndStay connects a client of one of several kinds, unless that is refused.
func (h *accessHarness) comeAndStay(kind int) {
	name := []string{"ana", "eve"}[kind%2]
	dialer := ws.Dialer{}
	byMessage := kind%3 == 0
	if !byMessage {
		dialer.Header = ws.HandshakeHeaderHTTP(h.bearer(name))
	}
	if kind%4 < 2 {
		dialer.Protocols = []string{Subprotocol}
	}
	c, err := testkit.OpenWebSocket(context.Background(), dialer, "ws://"+h.addr+"/")
	if _, refused := errors.AsType[ws.StatusError](err); refused {
		return
	}
	if err != nil {
		h.t.Error(err)
		return
	}
	h.t.Cleanup(func() { c.Close() })
	if byMessage {
		if err := wsutil.WriteClientText(c.Conn, fmt.Appendf(nil, `{"op": "auth", "id": "a", "token": %q}`, h.tokens[name])); err != nil {
			h.t.Error(err)
		}
	}
	// An answer shows that the client is what it is going to be, or closed.
	if byMessage || kind%4 < 2 {
		for {
			text, err := c.ReceiveWithin(testkit.Patience)
			var m map[string]any
			if err != nil || json.Unmarshal(text, &m) == nil && (m["access"] != nil || m["op"] == "error") {
				return
			}
		}
	}
}

func TestAClientIsCheckedAgainIfTheConfigurationChangesWhileItEnters(t *testing.T) {
	h := newAccessHarness(t)
	v := h.access.Identify(&access.Approach{Path: "/", Headers: h.bearer("eve").Values})
	before := h.access.generation.Load()
	if p, no := h.access.settle(v, before); p == nil || no != nil {
		t.Fatalf("before the reload: %v, %v", p, no)
	}
	h.reload(func(c *access.Config) { c.Revoked = []access.Revocation{{Name: "eve"}} })
	if p, no := h.access.settle(v, before); p != nil || no == nil || no.Code != "revoked" {
		t.Errorf("after it: %v, %v", p, no)
	}
	h.access.blocked.Add("eve", time.Minute)
	if p, no := h.access.settle(v, h.access.generation.Load()); p != nil || no == nil || no.Code != access.CodeKicked {
		t.Errorf("while it is blocked: %v, %v", p, no)
	}
	if p, no := h.access.settle(access.Verdict{}, 0); p != nil || no == nil || no.Status != 503 {
		t.Errorf("a verdict that says nothing: %v, %v", p, no)
	}
}

func TestAClientThatIsRevokedWhileItIsDecidedUponDoesNotEnter(t *testing.T) {
	h, app := newCallbackHarness(t)
	app.hold = make(chan struct{})
	refused := make(chan int, 1)
	go func() {
		status, _ := h.status("/?ticket=t", nil)
		refused <- status
	}()
	testkit.Receive(t, app.asked)
	h.reload(func(c *access.Config) { c.Revoked = []access.Revocation{{Name: "ana"}} })
	close(app.hold)
	if status := testkit.Receive(t, refused); status != 401 {
		t.Errorf("it gets %d", status)
	}
}
