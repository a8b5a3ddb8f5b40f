package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEachEventIsARowWithItsFields(t *testing.T) {
	s := &testSink{room: -1}
	l, _ := logTo(s, false, maxPending)
	l.cfg.Now = func() time.Time { return time.Date(2026, 11, 28, 16, 20, 4, 5000, time.UTC) }
	who := `"name":"ana","source":"token","client":"7","remote":"10.0.0.1:99"`
	command := who + `,"consumer":"dome","command_string":"open --fast","command_id":"x1","rule":"observer: command[0]"`
	for _, c := range []struct {
		record func()
		want   string
	}{
		{func() { l.Entered(Entered{Who: dome.Who, Path: "/", Expires: time.Unix(1, 0).UTC()}) }, `"event":"entered",` + who + `,"path":"/","expires":"1970-01-01T00:00:01Z"`},
		{func() { l.Refused(Refused{Who: Who{Remote: "unix"}, Door: "enter", Status: 401, Code: "expired"}) }, `"event":"refused","name":"","remote":"unix","door":"enter","status":401,"code":"expired"`},
		{func() { l.Command(dome, func(error) {}) }, `"event":"command",` + command},
		{func() { l.CommandEnd(CommandEnd{dome, "sent", 1234567 * time.Nanosecond}) }, `"event":"command_end",` + command + `,"outcome":"sent","ms":1.234`},
		{func() { l.Changed(Changed{Who: dome.Who, Reason: "reload", Grants: json.RawMessage(`{"hear":[{}]}`)}) }, `"event":"changed",` + who + `,"reason":"reload","grants":{"hear":[{}]}`},
		{func() {
			l.Acknowledged(Acknowledged{Who: dome.Who, Actor: "dome", Keys: []string{"silent"}, Rule: "observer: command[0]"})
		}, `"event":"acknowledged",` + who + `,"actor":"dome","keys":["silent"],"rule":"observer: command[0]"`},
		{func() { l.Kicked(Kicked{dome.Who, "kicked", "eve", 10 * time.Minute}) }, `"event":"kicked",` + who + `,"code":"kicked","by":"eve","block":"10m0s"`},
		{func() { l.Reloaded(Reloaded{Changed: []string{"access"}}) }, `"event":"reloaded","changed":["access"]`},
		{func() { l.Reloaded(Reloaded{}) }, `"event":"reloaded"`},
		{func() { l.Changed(Changed{Grants: json.RawMessage(`{`)}) }, `"event":"changed","error":"this event cannot be encoded"`},
	} {
		s.text.Reset()
		c.record()
		if !l.flush(testkit.Patience) {
			t.Fatal("nothing is written")
		}
		if got, want := s.text.String(), `{"time":"2026-11-28T16:20:04.000005Z",`+c.want+"}\n"; got != want {
			t.Errorf("the row is %s\nwant %s", got, want)
		}
	}
}

func TestARowHasNoControlCharacters(t *testing.T) {
	nasty := "open\n{\"event\":\"forged\"}\r\x00\x1b[2J\x7f\u009b31m\u202eevil\u2028\u2066\u00ad\U000e0001<&>é\xff"
	text := string(encode(time.Unix(0, 0), "command", Command{CommandString: nasty}))
	for i, r := range text {
		if r < ' ' && i != len(text)-1 || r == 0x7f || r >= 0x80 && r != 'é' && r != '\ufffd' {
			t.Errorf("%q is in the row", r)
		}
	}
	var back Command
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(nasty, "\ufffd"); back.CommandString != want {
		t.Errorf("%q comes back as %q", want, back.CommandString)
	}
}

func FuzzARowIsOneLineOfJSON(f *testing.F) {
	f.Add("open\n\u202e", "x\x00")
	f.Fuzz(func(t *testing.T, command, id string) {
		text := encode(time.Unix(0, 0), "command", Command{CommandString: command, CommandID: id})
		if bytes.IndexByte(text, '\n') != len(text)-1 {
			t.Fatalf("%q is more than a line", text)
		}
		var back Command
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if back.CommandString != string([]rune(command)) || back.CommandID != string([]rune(id)) {
			t.Fatalf("%q comes back as %q", command, back.CommandString)
		}
	})
}
