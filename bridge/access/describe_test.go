package access

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

func TestAConfigurationIsDescribedInPlainLines(t *testing.T) {
	cfg := Config{
		Roles: map[string]json.RawMessage{
			"viewer":   json.RawMessage(`{"hear": [{}], "hide": [{"internal": true}]}`),
			"observer": json.RawMessage(observer),
			"site":     json.RawMessage(`{"hear": [{"sender": "dome"}], "own": true, "rooms": ["/live/**", "/users/${name}"], "publish": ["/live/x"], "limits": {"command-rate": 0.5, "message-rate": 3, "connections": 5}}`),
			"self":     json.RawMessage(`{"own": true, "command": [{}], "clients": true, "admin": true}`),
			"none":     json.RawMessage(`{}`),
		},
		Anonymous: "viewer",
		Signed:    &SignedConfig{Secrets: secretsFile(t, "", testKey, ""), Name: "s", Role: "viewer"},
		Tokens: []TokenConfig{
			{Name: "archiver", Hash: HashToken("a"), Role: "viewer", From: []string{"10.0.0.0/8", "::1"}, Expires: "2027-01-01"},
			{Name: "old", Hash: HashToken("b"), Role: "viewer", Expires: "2026-01-01"},
			{Name: "plain", Hash: HashToken("c"), Role: "observer"},
		},
		ClientsCA: "ca.pem", Certificates: map[string]string{"CN=x": "viewer"},
		Unix:    Assignments{{"user:obs", "observer"}, {"group:staff", "self"}},
		Proxy:   &ProxyConfig{From: []string{"127.0.0.1"}, User: "X-Remote-User", Groups: "X-Remote-Groups", Role: "viewer"},
		Revoked: []Revocation{{Name: "eve", ID: "7", IssuedBefore: "2026-11-01"}},
	}
	lines, err := cfg.Describe(Options{Secret: os.ReadFile, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	const want = `role none: hears no replies; sends no commands
role observer: hears every reply; commands dome, lvm.* and mount (open, status), and weather; forbidden: every actor (shutdown), and lvm.secret and mirror
role self: hears replies to its own commands only; commands every actor; sees who is connected; administers
role site: hears replies that fit {"sender":["dome"]}, and replies to its own commands; hears rooms /live/** and /users/${name}; publishes to rooms /live/x; sends no commands; 0.5 commands a second; 3 messages a second; 5 connections
role viewer: hears every reply, but none that fit {"internal":[true]}; sends no commands
without a credential: role viewer
token of archiver: role viewer, from 10.0.0.0/8, ::1, until 2027-01-01 00:00 UTC
token of old: role viewer, expired
token of plain: role observer
signed URL of a room: hears that room
signed URL of /: role viewer
certificate of CN=x: role viewer
Unix sockets: user:obs is observer, group:staff is self
user in X-Remote-User from a proxy at 127.0.0.1: the role that has the name of a group, otherwise viewer
revoked: of eve, with the id 7, issued before 2026-11-01`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("it is described as\n%s\nwant\n%s", got, want)
	}
	if _, err := (Config{Anonymous: "nobody"}).Describe(Options{}); err == nil {
		t.Error("an unusable configuration is described")
	}
}

func TestLongListsAreShortened(t *testing.T) {
	eight := parse(t, `{"rooms": ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"]}`)
	if got, want := eight.Describe(), "hears no replies; hears rooms /a, /b, /c, /d, /e, /f, /g and /h; sends no commands"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	g := parse(t, `{"command": [{"consumer": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]}]}`)
	if got, want := g.Describe(), "hears no replies; commands a, b, c, d, e, f, g and 3 more"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
