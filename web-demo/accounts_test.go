package webdemo_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// roles are those of the bridges in these tests.
var roles = map[string]json.RawMessage{
	"viewer":   json.RawMessage(`{"hear": [{}], "hide": [{"sender": "weather"}]}`),
	"observer": json.RawMessage(`{"hear": [{}], "own": true, "command": [{"consumer": ["dome", "roof"], "verb": ["status", "open"]}], "forbid": [{"verb": "shutdown"}]}`),
}

// accounts make tokens for the bridges of tests.
type accounts struct {
	access.Config
}

func newAccounts() *accounts { return &accounts{access.Config{Roles: roles}} }

// token returns a token of a user. It expires at a time; the zero time is never.
func (a *accounts) token(name, role string, expires time.Time) string {
	token, hash := access.NewToken()
	cfg := access.TokenConfig{Name: name, Role: role, Hash: hash}
	if !expires.IsZero() {
		cfg.Expires = expires.UTC().Format(time.RFC3339Nano)
	}
	a.Tokens = append(a.Tokens, cfg)
	return token
}

// authority returns an authority that knows the tokens made so far.
func (a *accounts) authority(t *testing.T) *access.Authority {
	t.Helper()
	authority, err := access.New(a.Config, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return authority
}
