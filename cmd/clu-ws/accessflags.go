package main

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// accessFlags are the flags for web pages' origins and for proxies.
func accessFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "origin", EnvVars: env("origin"), Category: catListen, DefaultText: "any; on loopback and Unix sockets only this machine's", Usage: "`ORIGIN` of web pages that may connect, such as https://console.example, null, or * for any; repeat it (in the variable: with blanks between) for several"},
		&cli.StringSliceFlag{Name: "trusted-proxy", EnvVars: env("trusted-proxy"), Category: catListen, Usage: "`NETWORK` of proxies whose X-Forwarded-For or Forwarded gives the client's address, such as 10.0.0.0/8 or 127.0.0.1, or unix for Unix sockets; repeat it (in the variable: with blanks between) for several"},
		&cli.BoolFlag{Name: "proxy-protocol", EnvVars: env("proxy-protocol"), Category: catListen, Usage: "expect the PROXY protocol, version 1 or 2, on every client listener; --listen proxy:host:port for a single one"},
	}
}

// listValues returns the values of a repeatable flag; in its variable they are separated by
// blanks.
func listValues(c *cli.Context, flag string) []string {
	return strings.Fields(strings.Join(c.StringSlice(flag), " "))
}

// readAccess reads those flags into a bridge's configuration.
func readAccess(c *cli.Context, cfg *bridge.Config) error {
	cfg.Origins, cfg.TrustedProxies = listValues(c, "origin"), listValues(c, "trusted-proxy")
	if _, err := origin.New(cfg.Origins); err != nil {
		return fmt.Errorf("--origin: %w", err)
	}
	if _, err := forwarded.Parse(cfg.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxy: %w", err)
	}
	cfg.CommandLine = redactArgs(os.Args)
	return nil
}

// adminHost returns the host name in --admin, or "".
func adminHost(a *listen.Address) string {
	if a == nil || a.Network != "tcp" {
		return ""
	}
	host := a.Name[:strings.LastIndexByte(a.Name, ':')]
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	return host
}

// redactArgs returns a command line without the password and the logins in URLs.
func redactArgs(args []string) []string {
	args = slices.Clone(args)
	secret := false // the next argument is the password
	for i, arg := range args {
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		isPassword := strings.HasPrefix(arg, "-") && name == "password"
		switch {
		case secret:
			args[i] = redacted
		case isPassword && given:
			args[i] = arg[:len(arg)-len(value)] + redacted
		case strings.Contains(arg, "://"):
			args[i] = redactLogin(arg)
		}
		secret = isPassword && !given
	}
	return args
}

const redacted = "(hidden)"

// redactLogin hides the logins of the URLs in an argument, even malformed ones.
func redactLogin(arg string) string {
	parts := strings.Fields(arg)
	for i, part := range parts {
		scheme, rest, ok := strings.Cut(part, "://")
		if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
			parts[i] = scheme + "://" + redacted + rest[at:]
		}
	}
	return strings.Join(parts, " ")
}
