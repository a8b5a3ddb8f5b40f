package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/clu-ws/clu-ws/terminal"
)

func TestATokenComesFromAFileThatOthersCannotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("sesame\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantExit(t, "127.0.0.1:1", terminal.ExitUsage, "everyone on this machine may read", "actors", "--token-file", file)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if token, err := bridgeToken(file); err != nil || token != "sesame" {
		t.Errorf("the token is %q, %v", token, err)
	}
	token, err := tokenOf(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("renewed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if renewed, err := token(); err != nil || renewed != "renewed" {
		t.Errorf("the token is %q when it has been renewed, %v", renewed, err)
	}
	if token, err := tokenOf(""); token != nil || err != nil {
		t.Errorf("without a token, there is one: %v", err)
	}
	t.Setenv("CLU_WS_TOKEN", " of the environment\n")
	if token, err := bridgeToken(""); err != nil || token != "of the environment" {
		t.Errorf("the token is %q, %v", token, err)
	}
}

func TestABridgeWithAccessControlWantsAToken(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", accessFile(tokenLine("anna", annasToken, "viewer")))
	p := spawn(t, nil, "--config", path)
	address := p.announcedAddress(t, "ws://")
	wantExit(t, address, terminal.ExitNotSent, "", "actors")
	t.Setenv("CLU_WS_TOKEN", bertasToken)
	wantExit(t, address, terminal.ExitNotSent, "the token is not valid", "actors")
	t.Setenv("CLU_WS_TOKEN", annasToken)
	wantExit(t, address, terminal.ExitDone, "", "actors")
	// A viewer sends no commands.
	wantExit(t, address, terminal.ExitNotSent, "not sent: ", "send", "dome", "open")
}

func TestColorsAreForTerminals(t *testing.T) {
	for _, c := range []struct {
		when string
		want bool
	}{{"always", true}, {"never", false}, {"auto", false}} {
		if got, err := wantsColor(c.when, io.Discard); err != nil || got != c.want {
			t.Errorf("--color %s is %v, %v", c.when, got, err)
		}
	}
}
