package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/listen"
)

// healthTimeout is how long a bridge may take to answer.
const healthTimeout = 5 * time.Second

// healthCommand asks a bridge for its health, for a container without any other program.
func healthCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "health",
		Usage:     "ask a bridge on this machine whether it is alive; the exit code is 0 if so, and else 1",
		ArgsUsage: "[ADDRESS]",
		Description: "ADDRESS is host:port, https://host:port or unix:/path/to/socket. Without it, the flags, the environment and\n" +
			"the file of --config say where the bridge listens: it takes the flags of clu-ws websocket.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "ready", Usage: "ask instead whether it is ready: linked to the broker, and not about to stop"},
		}, websocketFlags()...),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			target, err := healthTargetOf(c)
			if err != nil {
				return err
			}
			path := "/healthz"
			if c.Bool("ready") {
				path = "/readyz"
			}
			ctx, cancel := context.WithTimeout(c.Context, healthTimeout)
			defer cancel()
			return target.ask(ctx, path, stdout)
		},
	}
}

// healthTarget is where a bridge answers.
type healthTarget struct {
	listen.Address
	tls   bool
	proxy bool // it expects the PROXY protocol
}

// healthTargetOf returns the address that is given, or else one at which the flags let a
// bridge listen.
func healthTargetOf(c *cli.Context) (healthTarget, error) {
	if extra := c.Args().Get(1); strings.HasPrefix(extra, "-") {
		return healthTarget{}, fmt.Errorf("%s comes after ADDRESS; write flags before it, as in clu-ws health --ready 127.0.0.1:9876", extra)
	} else if c.NArg() > 1 {
		return healthTarget{}, fmt.Errorf(notUnderstood, extra, c.Command.HelpName)
	}
	if c.Args().Present() {
		name, secure := strings.CutPrefix(c.Args().First(), "https://")
		a, err := listen.ParseAddress(strings.TrimSuffix(strings.TrimPrefix(name, "http://"), "/"))
		return healthTarget{Address: a, tls: secure}, err
	}
	s, err := readSettings(c, readAdmin)
	if err != nil {
		return healthTarget{}, err
	}
	if s.admin != nil { // without TLS, and it says more
		return healthTarget{Address: *s.admin}, nil
	}
	first := s.listeners.addresses[0]
	return healthTarget{first.Address, s.listeners.tls && first.Network == "tcp", first.proxy || s.listeners.proxy}, nil
}

// ask prints the answer at a path. An answer other than 200 is an error.
func (h healthTarget) ask(ctx context.Context, path string, stdout io.Writer) error {
	scheme := "http://"
	if h.tls {
		scheme = "https://"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"localhost"+path, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: h.dial, DisableKeepAlives: true,
		// The certificate is for the name by which browsers know the bridge, and nothing secret is sent.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the bridge at %s does not answer: %w", h, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("the bridge at %s does not answer: %w", h, err)
	}
	answer := strings.TrimSpace(string(text))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the bridge at %s answers %s: %s", h, response.Status, answer)
	}
	_, err = fmt.Fprintln(stdout, answer)
	return err
}

// dial connects to the bridge, whatever the URL says.
func (h healthTarget) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, h.Network, h.reachable())
	if err == nil && h.proxy {
		if _, err = io.WriteString(conn, "PROXY UNKNOWN\r\n"); err != nil {
			conn.Close()
		}
	}
	return conn, err
}

// reachable returns the address to connect to. One that stands for all addresses of the
// machine is reached by the loopback address.
func (h healthTarget) reachable() string {
	host, port, err := net.SplitHostPort(h.Name)
	if h.Network != "tcp" || err != nil {
		return h.Name
	}
	at, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && at.Is4() && at.IsUnspecified():
		host = "127.0.0.1"
	case err == nil && at.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
