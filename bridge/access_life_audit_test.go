package bridge

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recordTo makes the bridge of a harness record to a buffer.
func (h *accessHarness) recordTo() *logBuffer {
	h.t.Helper()
	rows := new(logBuffer)
	log, err := audit.Open(audit.Config{Target: audit.Stdout, Stdout: rows, Now: h.clock.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	h.cfg.Audit = log // before the first client
	h.t.Cleanup(func() { _ = log.Close(testkit.Patience) })
	return rows
}

// row waits for the first row with an event, a name and a code, and returns it.
func (l *logBuffer) row(t *testing.T, event, name, code string) (found map[string]any) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "a row of the audit log", func() error {
		for line := range strings.Lines(l.String()) {
			var m map[string]any
			if json.Unmarshal([]byte(line), &m) == nil && m["event"] == event && fmt.Sprint(m["name"]) == name && (code == "" || m["code"] == code) {
				found = m
				return nil
			}
		}
		return fmt.Errorf("no %s of %q with %q in\n%s", event, name, code, l)
	})
	return found
}

func TestTheAuditLogNamesWhoAClientIsNow(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { c.Anonymous = "viewer" })
	rows := h.recordTo()
	c := h.open("/", nil, Subprotocol)
	next(t, c)
	rows.row(t, "entered", "", "")
	c.Send(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open"}`)
	nextOp(t, c, "error")
	rows.row(t, "refused", "", "forbidden")
	c.Send(fmt.Sprintf(`{"op": "auth", "id": "2", "token": %q}`, h.tokens["ana"]))
	nextOp(t, c, "ok")
	if m := rows.row(t, "entered", "ana", ""); m["renewed"] != true || m["client"] != "bridge-1" || m["source"] != "token" {
		t.Errorf("the new identity is recorded as %v", m)
	}
	if m := rows.row(t, "changed", "ana", ""); m["reason"] != "auth" || m["grants"] == nil {
		t.Errorf("the new grants are recorded as %v", m)
	}
	c.Send(`{"op": "command", "id": "3", "consumer": "mirror", "command_string": "open"}`)
	nextOp(t, c, "error")
	rows.row(t, "refused", "ana", "forbidden")
	c.Send(`{"op": "command", "id": "4", "consumer": "dome", "command_string": "open"}`)
	nextOp(t, c, "ok")
	if m := rows.row(t, "command", "ana", ""); m["consumer"] != "dome" {
		t.Errorf("the command is recorded as %v", m)
	}
}

func TestTheAuditLogHasWhoWasRefusedAndClosed(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { expireToken(c, "eve", time.Minute) })
	rows := h.recordTo()
	h.status("/?ticket=secret", nil)
	if m := rows.row(t, "refused", "", "invalid"); m["door"] != "enter" || m["status"] != 401.0 || m["path"] != "/" {
		t.Errorf("a refused client is recorded as %v", m)
	}
	h.status("/live/b", h.bearer("ana"))
	if m := rows.row(t, "refused", "ana", "forbidden"); m["status"] != 403.0 || m["path"] != "/live/b" {
		t.Errorf("a room that is not granted is recorded as %v", m)
	}
	late := h.open("/", nil)
	next(t, late)
	late.Send(`{"op": "auth", "token": "secret"}`)
	closes(t, late)
	if m := rows.row(t, "kicked", "", "invalid"); m["client"] == nil {
		t.Errorf("its end is recorded as %v", m)
	}
	_, hello := h.v1("ana")
	h.kick("eng", fmt.Sprintf(`{"client": %q, "block": "1m"}`, hello["session"]))
	if m := rows.row(t, "kicked", "ana", "kicked"); m["by"] != "eng" || m["block"] != "1m0s" {
		t.Errorf("a client that an operator closed is recorded as %v", m)
	}
	h.v1("eve")
	h.awaitDeadlines(1)
	h.pass(time.Minute)
	rows.row(t, "kicked", "eve", "expired")
	if text := rows.String() + h.logged.String(); strings.Contains(text, "secret") || strings.Contains(text, h.tokens["ana"]) {
		t.Errorf("a credential is in the log:\n%s", text)
	}
}

func TestAnExpiredCredentialDoesNotBecomeAnonymous(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Anonymous = "viewer"
		expireToken(c, "ana", time.Minute)
	})
	c, _ := h.v1("ana")
	h.awaitDeadlines(1)
	h.pass(time.Minute)
	if code, _ := closes(t, c); code != 3000 {
		t.Errorf("it is closed with %d", code)
	}
	if status, reason := h.status("/", h.bearer("ana")); status != 401 || !strings.Contains(reason, "expired") {
		t.Errorf("the expired token gets %d, %q", status, reason)
	}
	anonymous := h.open("/", nil, Subprotocol)
	next(t, anonymous)
	anonymous.Send(fmt.Sprintf(`{"op": "auth", "id": "a", "token": %q}`, h.tokens["ana"]))
	if m := next(t, anonymous); m["code"] != "unauthorized" {
		t.Errorf("auth with it is answered with %v", m)
	}
}

func TestClientsThatHaveNotSaidWhoTheyAreAreNotThere(t *testing.T) {
	h := newAccessHarness(t)
	waiting := h.open("/", nil)
	next(t, waiting)
	eng, _ := h.v1("eng")
	eng.Send(`{"op": "clients", "id": "c"}`)
	if m := nextOp(t, eng, "clients"); len(m["clients"].([]any)) != 1 {
		t.Errorf("the clients are %v", m["clients"])
	}
}
