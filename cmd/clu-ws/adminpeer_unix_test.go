//go:build linux || darwin || freebsd

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAdminServerKnowsTheProcessBehindItsUnixSocket(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for name, mayEnter := range map[string]bool{me.Username: true, "nobody": false} {
		dir := t.TempDir()
		file, socket := filepath.Join(dir, "clu-ws.yaml"), filepath.Join(dir, "a")
		text := fmt.Sprintf("access:\n  roles: {engineer: {admin: true}}\n  unix: {\"user:%s\": engineer}\n", name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := spawn(t, nil, "--config", file, "--host", "127.0.0.1", "--port", "0", "--admin", "unix:"+socket)
		p.await(t, "metrics and health")
		overSocket := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}
		got, err := get(t, overSocket, "http://localhost/debug/pprof/")
		if entered := err == nil && strings.Contains(got, "goroutine"); entered != mayEnter {
			t.Errorf("with user:%s: %v, %.200s", name, err, got)
		}
		p.stop(t)
	}
}
