package bridge_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// rows receives the rows of an audit log, unless it is full.
type rows struct {
	mu   sync.Mutex // guards the following field
	full bool
	all  chan envelope
	t    *testing.T
}

func (r *rows) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return 0, errors.New("no space left on device")
	}
	for line := range strings.Lines(string(p)) {
		m, err := parse([]byte(line))
		if err != nil {
			r.t.Errorf("the row %q: %v", line, err)
		}
		r.all <- m
	}
	return len(p), nil
}

// next returns the next row about a command.
func (r *rows) next() string {
	r.t.Helper()
	for {
		m := testkit.Receive(r.t, r.all)
		if m["consumer"] == nil {
			continue
		}
		if m["event"] == "command_end" && (m["ms"] == nil || m["time"] == nil || m["remote"] == nil) {
			r.t.Errorf("the row %v has no time, remote or ms", m)
		}
		end := m["code"]
		if end == nil {
			end = m["outcome"]
		}
		return fmt.Sprintf("%v %v %v %v %v %v %v: %v", m["event"], m["name"], m["client"], m["consumer"], m["command_string"], m["command_id"], m["rule"], end)
	}
}

func audited(t *testing.T, required bool) (*rows, func(*bridge.Config)) {
	t.Helper()
	r := &rows{all: make(chan envelope, 1000), t: t}
	log, err := audit.Open(audit.Config{Target: audit.Stdout, Stdout: r, Required: required})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(time.Second) })
	return r, func(c *bridge.Config) { c.Audit = log }
}

func TestEveryCommandAndItsEndAreRecorded(t *testing.T) {
	for _, required := range []bool{false, true} {
		url := embeddedBroker(t)
		r, withAudit := audited(t, required)
		g := guard(t, url, map[string]string{"ana": onlyTheDome}, withAudit)
		p := newPeer(t, url)
		commands := p.hear("command.dome")
		ana := g.v1("ana")
		ana.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open\nnow", "command_id": "a"}`)
		equal(t, "a row", r.next(), "command ana bridge-1 dome open\nnow a ana: command[0]: <nil>")
		testkit.Receive(t, commands)
		equal(t, "a row", r.next(), "command_end ana bridge-1 dome open\nnow a ana: command[0]: sent")
		p.publish("reply.bridge.dome", domeSays(":", "a"))
		equal(t, "a row", r.next(), "command_end ana bridge-1 dome open\nnow a ana: command[0]: done")
		ana.say(`{"op": "command", "id": "2", "consumer": "mirror", "command_string": "open", "command_id": "b"}`)
		equal(t, "a row", r.next(), "refused ana bridge-1 mirror open b ana: no command: forbidden")
		ana.say(`{"consumer": "dome.nobody", "command_string": "open", "command_id": "c"}`)
		equal(t, "a row", r.next(), "refused ana bridge-1 dome.nobody open c ana: no command: forbidden")
		if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open", "command_id": "d"}`); w.Code != 202 {
			t.Fatalf("%d %v", w.Code, m)
		}
		equal(t, "a row", r.next(), "command ana <nil> dome open d ana: command[0]: <nil>")
		equal(t, "a row", r.next(), "command_end ana <nil> dome open d ana: command[0]: sent")
	}
}

// Without access control commands are recorded, too, by nobody's name.
func TestCommandsAreRecordedWithoutAccessControl(t *testing.T) {
	r, withAudit := audited(t, true)
	b := linked(t, embeddedBroker(t), withAudit, func(c *bridge.Config) { c.Name = "bridge" })
	c := dial(t, b.addr)
	c.say(`{"consumer": "nobody", "command_string": "open", "command_id": "a"}`)
	equal(t, "a row", r.next(), "command  bridge-1 nobody open a <nil>: <nil>")
	equal(t, "a row", r.next(), "command_end  bridge-1 nobody open a <nil>: returned")
	c.untilEnd("a")
}

func TestNoCommandGoesOutUnrecordedIfTheAuditLogIsRequired(t *testing.T) {
	url := embeddedBroker(t)
	r, withAudit := audited(t, true)
	g := guard(t, url, map[string]string{"ana": onlyTheDome}, withAudit)
	commands := newPeer(t, url).hear("command.#")
	ana, plain := g.v1("ana"), g.as("ana", "/")
	full := func(is bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.full = is
	}
	full(true)
	ana.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open", "command_id": "a"}`)
	ana.answer("ok")
	if m := ana.answer("error", "result"); m["code"] != "no_record" || m["id"] != "1" {
		t.Errorf("a tracked command is answered with %v", m)
	}
	plain.say(`{"consumer": "dome", "command_string": "open", "command_id": "b"}`)
	if m := plain.next(); m.header("command_id") != "b" || !strings.Contains(m.errorText(), "cannot be written") {
		t.Errorf("a plain command is answered with %v", m)
	}
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open", "command_id": "c"}`); w.Code != 503 || m["code"] != "no_record" {
		t.Errorf("a command over HTTP is answered with %d %v", w.Code, m)
	}
	full(false)
	ana.say(`{"op": "command", "id": "2", "consumer": "dome", "command_string": "close", "command_id": "a"}`) // its id is free
	ana.answer("ok")
	equal(t, "the first command that is sent", string(testkit.Receive(t, commands).Body), `{"command_string":"close"}`)
}
