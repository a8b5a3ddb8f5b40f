package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// printed runs clu-ws with arguments and returns what it prints.
func printed(args ...string) (string, error) {
	var out strings.Builder
	err := run(context.Background(), append([]string{"clu-ws"}, args...), &out, io.Discard)
	return out.String(), err
}

// tokenOutput matches what clu-ws token prints.
var tokenOutput = regexp.MustCompile(`^token: (cluws_[\w-]{43})\n\naccess:\n  tokens:\n    - \{(.*)\}\n$`)

func TestTokenPrintsATokenAndTheLineThatLetsItIn(t *testing.T) {
	seen := map[string]bool{}
	for _, args := range [][]string{
		{"--role", "viewer", "--from", "10.0.0.0/8", "--from", "::1", "--expires", "2027-01-01", "archiver: é"},
		{"archiver: é", "--role", "viewer", "--from=10.0.0.0/8", "--from", "::1", "--expires=2027-01-01"},
		{"--from", "10.0.0.0/8", "archiver: é", "--from", "::1", "-expires=2027-01-01", "--role=viewer"},
	} {
		out, err := printed(append([]string{"token"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		m := tokenOutput.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("it prints\n%s", out)
		}
		token := m[1]
		want := `name: "archiver: é", hash: "` + access.HashToken(token) + `", role: "viewer", from: ["10.0.0.0/8", "::1"], expires: "2027-01-01"`
		if m[2] != want {
			t.Errorf("the line is\n%s, want\n%s", m[2], want)
		}
		if seen[token] {
			t.Error("it makes the same token twice")
		}
		seen[token] = true
		file := filepath.Join(t.TempDir(), "clu-ws.yaml")
		_, entry, _ := strings.Cut(out, "\n\n")
		if err := os.WriteFile(file, []byte(entry+"  roles:\n    viewer: {hear: [{}]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		checked, err := printed("check", "--config", file)
		if want := "token of archiver: é: role viewer, from 10.0.0.0/8, ::1, until 2027-01-01 00:00 UTC"; err != nil || !strings.Contains(checked, want) {
			t.Errorf("the line means\n%s\n(%v), want %s", checked, err, want)
		}
		if strings.Contains(checked, token) || strings.Contains(checked, access.HashToken(token)) {
			t.Error("check prints the token or its hash")
		}
	}
}

func TestTokenRefusesWhatTheConfigurationWould(t *testing.T) {
	for want, args := range map[string][]string{
		"a NAME":          {"--role", "viewer"},
		`"viewer"`:        {"archiver", "viewer"},
		`"--role"`:        {"archiver", "--role"},
		`"--rule"`:        {"archiver", "--rule", "viewer"},
		"role":            {"archiver"},
		"tomorrow":        {"--role", "viewer", "--expires", "tomorrow", "archiver"},
		"not a network":   {"--role", "viewer", "--from", "here", "archiver"},
		"name is missing": {"--role", "viewer", ""},
	} {
		out, err := printed(append([]string{"token"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out, "cluws_") {
			t.Errorf("%q: %v, and it prints %q", args, err, out)
		}
	}
}
