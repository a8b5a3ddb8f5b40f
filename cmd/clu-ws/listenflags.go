package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

func listenFlags(host string) []cli.Flag {
	return []cli.Flag{
		configFlag(),
		&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: 9876, EnvVars: env("port"), Category: catListen, Usage: "`PORT` for WebSocket clients and the page"},
		&cli.StringFlag{Name: "host", Value: host, EnvVars: env("host"), Category: catListen, Usage: "`ADDRESS` to listen on; 127.0.0.1 admits this machine only"},
		&cli.StringSliceFlag{Name: "listen", EnvVars: env("listen"), Category: catListen, Usage: "`ADDRESS` to listen on, instead of --host and --port: host:port, tcp:host:port or unix:/path/to/socket, which may end with its own mode and group, as in ?mode=0660&group=www-data; behind a proxy that speaks the PROXY protocol with proxy: in front, as in proxy:host:port" + repeatable},
		&cli.StringFlag{Name: "socket-mode", Value: "0660", EnvVars: env("socket-mode"), Category: catListen, Usage: "octal `MODE` of the Unix sockets of --listen that have none of their own; write permission allows a user to connect"},
		&cli.BoolFlag{Name: "reuse-port", EnvVars: env("reuse-port"), Category: catListen, Usage: "share the TCP ports with other processes of the same user that set it too (SO_REUSEPORT)"},
		&cli.PathFlag{Name: "tls-cert", EnvVars: env("tls-cert"), Category: catListen, Usage: "`FILE` with the certificate for browsers, followed by its intermediate certificates (PEM): TCP ports serve https and wss, Unix sockets stay without TLS. It is read again when it changes, and on SIGHUP"},
		&cli.PathFlag{Name: "tls-key", EnvVars: env("tls-key"), Category: catListen, Usage: "`FILE` with the key of --tls-cert (PEM)"},
		&cli.BoolFlag{Name: "compress", EnvVars: env("compress"), Category: catListen, Usage: "compress replies, once for all clients that accept it (permessage-deflate)"},
		&cli.StringFlag{Name: "log-level", Value: "info", EnvVars: env("log-level"), Usage: "`LEVEL` of the log: debug, info, warn or error"},
		&cli.StringFlag{Name: "log-format", Value: "text", EnvVars: env("log-format"), Usage: "`FORMAT` of the log: text or json"},
		&cli.StringSliceFlag{Name: "origin", EnvVars: env("origin"), Category: catListen, DefaultText: "any; on loopback and Unix sockets this machine's", Usage: "`ORIGIN` of web pages that may connect, such as https://console.example; null admits pages without an origin, such as files, and * any page" + repeatable},
		&cli.StringSliceFlag{Name: "trusted-proxy", EnvVars: env("trusted-proxy"), Category: catListen, Usage: "`NETWORK` of proxies whose X-Forwarded-For or Forwarded header gives the client's address, such as 10.0.0.0/8 or 127.0.0.1, or unix for Unix sockets" + repeatable},
		&cli.BoolFlag{Name: "proxy-protocol", EnvVars: env("proxy-protocol"), Category: catListen, Usage: "expect the PROXY protocol, version 1 or 2, on every client listener; for a single one, see --listen"},
	}
}

// readAccess reads the flags of origins and proxies into a bridge's configuration.
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

// readListeners reads where clients connect.
func readListeners(c *cli.Context) (l listeners, err error) {
	if l.addresses, l.flag, err = addresses(c); err != nil {
		return l, err
	}
	if c.IsSet("host") {
		l.host = c.String("host")
	}
	if c.IsSet("port") {
		l.port = c.Int("port")
	}
	l.proxy = c.Bool("proxy-protocol")
	l.options.ReusePort = c.Bool("reuse-port")
	if l.options.Mode, err = listen.ParseMode(c.String("socket-mode")); err != nil {
		return l, fmt.Errorf("--socket-mode %w", err)
	}
	l.tls = c.Path("tls-cert") != ""
	l.certificate, err = certificate(c)
	return l, err
}

// addresses returns where to listen, and the flag that says so.
func addresses(c *cli.Context) (where []clientAddress, flag string, err error) {
	given := listValues(c, "listen")
	if len(given) == 0 {
		if err := checkPort(c, "port", 0); err != nil {
			return nil, "", err
		}
		only := listen.Address{Network: "tcp", Name: net.JoinHostPort(c.String("host"), strconv.Itoa(c.Int("port")))}
		return []clientAddress{{Address: only}}, "--port", nil
	}
	for _, flag := range []string{"host", "port"} {
		if c.IsSet(flag) {
			return nil, "", fmt.Errorf("--listen and --%s are both given; leave --%s out, and repeat --listen for several addresses", flag, flag)
		}
	}
	for _, s := range given {
		s, proxy := listen.CutProxy(s)
		a, err := listen.ParseAddress(s)
		if err != nil {
			return nil, "", fmt.Errorf("--listen: %w", err)
		}
		where = append(where, clientAddress{a, proxy})
	}
	return where, "--listen", nil
}

// checkDistinct returns an error if the bridge would find one of its addresses taken by itself, which looks as if another
// program had it. Sockets from systemd take the place of the default address.
func checkDistinct(l listeners, admin *listen.Address) error {
	type named struct {
		listen.Address
		flag string
	}
	var all []named
	for _, a := range l.addresses {
		if l.flag == "--listen" || os.Getenv("LISTEN_FDS") == "" {
			all = append(all, named{a.Address, l.flag})
		}
	}
	if admin != nil {
		all = append(all, named{*admin, "--admin"})
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if overlap(a.Address, b.Address) && !(l.options.ReusePort && a.flag == b.flag) {
				return fmt.Errorf("%s %s and %s %s are the same port or socket; give each its own", b.flag, b.Address, a.flag, a.Address)
			}
		}
	}
	return nil
}

// overlap reports whether only one listener at a time can have the two addresses.
func overlap(a, b listen.Address) bool {
	if a.Network != "tcp" || b.Network != "tcp" {
		return a.Network == b.Network && a.Name == b.Name
	}
	host, port, _ := net.SplitHostPort(a.Name)
	otherHost, otherPort, _ := net.SplitHostPort(b.Name)
	if port != otherPort || port == "0" {
		return false
	}
	every := func(host string) bool { return host == "" || host == "0.0.0.0" }
	return host == otherHost || every(host) && net.ParseIP(otherHost).To4() != nil || every(otherHost) && net.ParseIP(host).To4() != nil
}

// certificate returns the certificate for browsers; nil without TLS.
func certificate(c *cli.Context) (*listen.Certificate, error) {
	cert, certErr := filePath(c, "tls-cert")
	key, keyErr := filePath(c, "tls-key")
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, err
	}
	switch {
	case cert == "" && key == "", rereading(c) && cert != "" && key != "":
		return nil, nil
	case cert == "" || key == "":
		return nil, errors.New("--tls-cert and --tls-key belong together; give both")
	}
	pair, err := listen.LoadCertificate(cert, key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	return pair, nil
}
