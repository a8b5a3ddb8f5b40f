package testkit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// reverseProxies are the proxies of [ReverseProxy]: the program, its package in Debian, the configuration around a site's,
// in which SITE, DIR, PORT, NGINX_USER and APACHE_USER are replaced, and its arguments.
var reverseProxies = map[string]struct {
	programs []string
	pkg      string
	frame    string
	args     []string
}{
	"nginx": {[]string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"}, "nginx-light", `
daemon off;
NGINX_USER
pid DIR/pid;
error_log stderr info;
events {}
http {
	access_log DIR/access.log;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
SITE
}
`, []string{"-e", "stderr", "-p", "DIR", "-c", "CONFIG"}},
	"haproxy": {[]string{"haproxy", "/usr/sbin/haproxy"}, "haproxy", `
global
	maxconn 200
	log stderr local0
defaults
	log global
	mode http
	timeout connect 5000
	timeout client 50000
	timeout server 50000
SITE
`, []string{"-db", "-f", "CONFIG"}},
	"caddy": {[]string{"caddy"}, "caddy", `
{
	admin off
	auto_https disable_redirects
	skip_install_trust
	storage file_system DIR
	servers {
		protocols h1 h2
	}
}
SITE
`, []string{"run", "--adapter", "caddyfile", "--config", "CONFIG"}},
	"apache": {[]string{"apache2", "/usr/sbin/apache2"}, "apache2-bin", `
ServerRoot DIR
ServerName localhost
PidFile DIR/pid
DefaultRuntimeDir DIR
Mutex file:DIR default
ErrorLog /dev/stderr
LogLevel warn
Listen 127.0.0.1:PORT
APACHE_USER
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
SITE
`, []string{"-D", "FOREGROUND", "-f", "CONFIG"}},
}

// webUser is the user of web servers in Debian.
const webUser = "www-data"

// WebGroup returns the group as which [ReverseProxy] runs nginx and Apache; "" if that is the test's own, which cannot
// choose.
func WebGroup() string {
	if os.Geteuid() != 0 {
		return ""
	}
	if _, err := user.Lookup(webUser); err != nil {
		return ""
	}
	return webUser
}

// ReverseProxy starts nginx, haproxy, caddy or apache with the configuration of a site, as it is in a distribution's folder
// of sites, and waits until it accepts connections at 127.0.0.1 and the port. As root, nginx and Apache serve as the user of
// web servers, who may read what is in [WebFolder].
func ReverseProxy(t testing.TB, kind, site string, port int) *Process {
	t.Helper()
	need(t, kind)
	proxy := reverseProxies[kind]
	program := ""
	for _, name := range proxy.programs {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		Missing(t, kind, "run scripts/setup-test.sh, or install "+proxy.pkg)
	}
	dir := WebFolder(t)
	nginxUser, apacheUser := "", ""
	if WebGroup() != "" {
		nginxUser, apacheUser = "user "+webUser+";", "User "+webUser+"\nGroup "+webUser
	}
	config := filepath.Join(dir, "config")
	fill := strings.NewReplacer("SITE", site, "DIR", dir, "PORT", fmt.Sprint(port), "CONFIG", config, "NGINX_USER", nginxUser, "APACHE_USER", apacheUser)
	if err := os.WriteFile(config, []byte(fill.Replace(proxy.frame)), 0o644); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, arg := range proxy.args {
		args = append(args, fill.Replace(arg))
	}
	cmd := exec.Command(program, args...) // with its workers, its group is killed when the test ends
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p := StartProcess(t, cmd)
	Eventually(t, Patience, kind+" accepts connections", func() error {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err
	})
	return p
}

// WebFolder returns a folder of the test that every user may enter, as those of the test's temporary folder may not.
func WebFolder(t testing.TB) string {
	t.Helper()
	parent := os.TempDir()
	if runtime.GOOS == "linux" {
		parent = "/tmp" // a user's own folder may be closed to others
	}
	dir, err := os.MkdirTemp(parent, "clu-ws-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
