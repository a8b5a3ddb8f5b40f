package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"github.com/clu-ws/clu-ws/bridge/listen"
)

// program is the name of the bridge's process, and manager that of the one that holds its sockets.
const (
	program = "clu-ws"
	manager = "systemd"
)

// Address checks that something can listen at an address, or says who does. flag names another one.
func (r *Report) Address(ctx context.Context, check string, a listen.Address, flag string) {
	if a.Network == "unix" {
		r.socket(ctx, check, a)
		return
	}
	ln, err := net.Listen("tcp", a.Name)
	switch {
	case err == nil:
		ln.Close()
		r.OK(check, "%s is free", a)
	case errors.Is(err, syscall.EADDRINUSE):
		r.taken(check, a.Name, flag)
	case errors.Is(err, syscall.EACCES):
		r.Fail(check, "choose a port above 1023 with "+flag+", or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE", "this user may not listen at %s", a)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		r.Fail(check, "correct "+flag, "this machine has no address %s", a)
	default:
		r.Fail(check, "correct "+flag, "nothing can listen at %s: %v", a, errors.Unwrap(err))
	}
}

// taken says who listens at an address.
func (r *Report) taken(check, address, flag string) {
	_, port, _ := net.SplitHostPort(address)
	owner, pid := portOwner(port)
	switch {
	case owner == program:
		r.held = append(r.held, address)
		r.OK(check, "%s has a bridge (process %d)", address, pid)
	case owner == manager:
		r.OK(check, "%s is held open by systemd, for a service with a socket unit", address)
	case owner != "":
		r.Fail(check, fmt.Sprintf("stop it, or choose another address with %s", flag), "%s belongs to %s (process %d)", address, owner, pid)
	default:
		r.Fail(check, fmt.Sprintf("find it with \"ss -ltnp 'sport = :%s'\" as root, and stop it, or choose another address with %s", port, flag), "another program listens at %s", address)
	}
}

// socket checks a Unix socket. One that nothing serves is replaced by the bridge.
func (r *Report) socket(ctx context.Context, check string, a listen.Address) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "unix", a.Name)
	if err != nil {
		r.OK(check, "%s is free", a)
		return
	}
	conn.Close()
	r.Warn(check, "if that is not the bridge, choose another path", "a program serves %s", a)
}

// info is the metric that says which bridge it is.
var info = regexp.MustCompile(`(?m)^cluws_info\{(.*)\} 1$`)

// Running says which bridge the admin server at an address belongs to, if one runs there.
func (r *Report) Running(ctx context.Context, admin listen.Address, cfg Config) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, admin.Network, reachable(admin))
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	text, err := getText(ctx, client, "http://localhost/metrics")
	m := info.FindStringSubmatch(text)
	if err != nil || m == nil {
		if len(r.held) > 0 {
			r.Warn("bridge", "stop it, or choose another address, unless it is this bridge with its former settings", "a bridge has %s, and none answers at %s: it may be another one", strings.Join(r.held, ", "), admin)
		}
		return
	}
	label := func(name string) string {
		found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(m[1])
		if found == nil {
			return ""
		}
		return found[1]
	}
	name, version := label("name"), label("version")
	r.running = name
	switch {
	case cfg.Name != "" && name != cfg.Name:
		r.Warn("bridge", "give each its own --admin", "the bridge at %s is %q, not %q", admin, name, cfg.Name)
	case version != cfg.Version:
		r.Warn("bridge", "restart it, if you have upgraded", "the bridge %q that runs is clu-ws %s, and this program is %s", name, version, cfg.Version)
	default:
		r.OK("bridge", "the bridge %q runs, and is clu-ws %s", name, version)
	}
	if ready, err := getText(ctx, client, "http://localhost/readyz"); err != nil {
		r.Warn("bridge", "the reason is in its answer", "it is not ready: %s", strings.TrimSpace(ready))
	} else {
		r.OK("bridge", "it is ready: commands get through")
	}
}

// reachable returns an address to connect to, of one to listen on.
func reachable(a listen.Address) string {
	if host, port, err := net.SplitHostPort(a.Name); a.Network == "tcp" && err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return a.Name
}

// getText returns the text of an answer; the error is that of an answer other than 200, too.
func getText(ctx context.Context, client *http.Client, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(text), err
}
