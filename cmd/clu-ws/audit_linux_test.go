package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// auditedBridge starts a bridge with an embedded broker that records in a target, and returns it
// with the addresses for clients and of its admin server.
func auditedBridge(t *testing.T, target string) (p *program, web, admin string) {
	t.Helper()
	admin = "127.0.0.1:" + freePort(t)
	p = start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", "0",
		"--admin", admin, "--audit", target, "--audit-required")
	p.log.await(t, "linked to the broker")
	return p, p.address(t), admin
}

// ask sends a message of a plain client, and returns the first answer.
func ask(t *testing.T, address, message string) string {
	t.Helper()
	conn := testkit.DialWebSocket(t, "ws://"+address+"/")
	_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
	if err := wsutil.WriteClientText(conn, []byte(message)); err != nil {
		t.Fatal(err)
	}
	answer, err := wsutil.ReadServerText(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

const openDome = `{"consumer":"dome","command_string":"open --now","command_id":"x1"}`

func TestCommandsAreRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	_, web, _ := auditedBridge(t, path)
	if answer := inTime(t, func() string { return ask(t, web, openDome) }); !strings.Contains(answer, "Failed routing") {
		t.Errorf("the answer is %s", answer)
	}
	var rows []map[string]any
	testkit.Eventually(t, testkit.Patience, "the end of the command in the record", func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rows = nil
		for line := range bytes.Lines(text) {
			var r map[string]any
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			rows = append(rows, r)
		}
		if n := len(rows); n < 2 || rows[n-1]["event"] != "command_end" || rows[n-1]["outcome"] != "returned" {
			return fmt.Errorf("it has %v", rows)
		}
		return nil
	})
	rows = rows[len(rows)-2:] // those before are of a command that was late
	for i, event := range []string{"command", "command_end"} {
		r := rows[i]
		if r["event"] != event || r["consumer"] != "dome" || r["command_string"] != "open --now" || r["command_id"] != "x1" || r["client"] == "" || !strings.HasPrefix(r["remote"].(string), "127.0.0.1:") {
			t.Errorf("row %d is %v", i, r)
		}
	}
	if rows[1]["ms"].(float64) <= 0 {
		t.Errorf("the end is %v", rows[1])
	}
}

func TestTheRecordMayGoToStandardOutput(t *testing.T) {
	p, web, _ := auditedBridge(t, "stdout")
	inTime(t, func() string { return ask(t, web, openDome) })
	if line := p.out.await(t, `"event":"command_end"`); !strings.HasPrefix(line, "{") || !strings.Contains(line, `"command_id":"x1"`) {
		t.Errorf("it prints %s", line)
	}
}

func TestOnAFullDiskNoCommandGoesOutUnrecorded(t *testing.T) {
	p, web, admin := auditedBridge(t, "/dev/full")
	if answer := inTime(t, func() string { return ask(t, web, openDome) }); !strings.Contains(answer, "this bridge records each command, and the record cannot be written") {
		t.Errorf("the answer is %s", answer)
	}
	if line := p.log.await(t, "the audit log cannot be written"); !strings.Contains(line, "no space left") {
		t.Errorf("it logs %s", line)
	}
	metrics, err := get(t, &http.Transport{}, "http://"+admin+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"cluws_audit_failing 1\n", "cluws_audit_records_total 0\n", `cluws_commands_total{outcome="returned"} 0` + "\n", `cluws_commands_total{outcome="confirmed"} 0` + "\n"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics have no %s", line)
		}
	}
}

func TestAnAuditLogThatCannotBeOpenedIsAnError(t *testing.T) {
	for _, args := range [][]string{{"--audit", "/nowhere/audit.log"}, {"--audit-required"}} {
		if got := failure(t, append([]string{"websocket", "--port", "0", "-P", "1"}, args...)...); !strings.HasPrefix(got, "--audit") {
			t.Errorf("%v: %s", args, got)
		}
	}
}
