package testkit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nginxFrame is a configuration for a process of a test, which writes into its folder only.
const nginxFrame = `
daemon off;
master_process off; # its own user reads the files of the test
pid %[1]s/pid;
error_log stderr info;
events {}
http {
	access_log %[1]s/access.log;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	map $http_upgrade $connection_upgrade { default upgrade; "" close; }
	server {
		listen 127.0.0.1:%[2]d;
%[3]s
	}
}
`

// Nginx starts nginx, and returns its address and the folder that its access.log is in. server is what its server
// section has in addition to listen; DIR in it stands for that folder, and $connection_upgrade is defined.
func Nginx(t testing.TB, server string) (addr, dir string) {
	t.Helper()
	need(t, "nginx")
	path, err := nginxPath()
	if err != nil {
		Missing(t, "nginx", "run scripts/setup-test.sh, or install nginx-light")
	}
	dir, port := t.TempDir(), FreePort(t)
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxFrame, dir, port, strings.ReplaceAll(server, "DIR", dir))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	StartProcess(t, exec.CommandContext(t.Context(), path, "-e", "stderr", "-p", dir, "-c", config))
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	Eventually(t, Patience, "nginx accepts connections", func() error {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return addr, dir
}

// nginxPath finds nginx, which Debian installs where only root's PATH leads.
func nginxPath() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no nginx")
}
