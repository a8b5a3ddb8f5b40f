package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/urfave/cli/v2"
)

// Categories of flags in --help.
const (
	catListen = "Where browsers connect"
	catBroker = "Which broker to use"
	catCLU    = "How CLU is spoken"
)

func listenFlags(host string) []cli.Flag {
	return append([]cli.Flag{
		&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: 9876, EnvVars: env("port"), Category: catListen, Usage: "`PORT` for WebSocket and the page"},
		&cli.StringFlag{Name: "host", Value: host, EnvVars: env("host"), Category: catListen, Usage: "`ADDRESS` to listen on; 127.0.0.1 for this machine only"},
		&cli.StringSliceFlag{Name: "listen", EnvVars: env("listen"), Category: catListen, Usage: "`WHERE` to listen instead of --host and --port: host:port, tcp:host:port or unix:/path/to/socket, with the prefix proxy: if a proxy in front speaks the PROXY protocol; repeat it for several"},
		&cli.StringFlag{Name: "socket-mode", Value: "0660", EnvVars: env("socket-mode"), Category: catListen, Usage: "octal `MODE` of the Unix sockets of --listen; who may write may connect"},
		&cli.BoolFlag{Name: "reuse-port", EnvVars: env("reuse-port"), Category: catListen, Usage: "share the TCP ports with other processes of this user that have it too (SO_REUSEPORT)"},
		&cli.PathFlag{Name: "tls-cert", EnvVars: env("tls-cert"), Category: catListen, Usage: "`FILE` with the certificate for browsers, and those between it and its authority (PEM): https and wss on the TCP ports; Unix sockets stay without TLS. Read again when it changes, and on SIGHUP"},
		&cli.PathFlag{Name: "tls-key", EnvVars: env("tls-key"), Category: catListen, Usage: "`FILE` with the key of --tls-cert (PEM)"},
		&cli.BoolFlag{Name: "compress", EnvVars: env("compress"), Category: catListen, Usage: "compress replies, once for all clients that can take them so (permessage-deflate)"},
		&cli.StringFlag{Name: "log-level", Value: "info", EnvVars: env("log-level"), Usage: "`LEVEL`: debug, info, warn or error"},
	}, accessFlags()...)
}

func brokerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "rabbitmq-host", Aliases: []string{"H"}, Value: "localhost", EnvVars: env("rabbitmq-host"), Category: catBroker, Usage: "`HOST` of the AMQP broker"},
		&cli.IntFlag{Name: "rabbitmq-port", Aliases: []string{"P"}, Value: 5672, EnvVars: env("rabbitmq-port"), Category: catBroker, Usage: "`PORT` of the AMQP broker"},
		&cli.StringFlag{Name: "user", Value: "guest", EnvVars: env("user"), Category: catBroker, Usage: "`NAME` to log in with"},
		&cli.StringFlag{Name: "password", DefaultText: "guest", EnvVars: env("password"), Category: catBroker, Usage: "`PASSWORD` to log in with; the variable keeps it out of ps"},
		&cli.StringFlag{Name: "vhost", Value: "/", EnvVars: env("vhost"), Category: catBroker, Usage: "virtual `HOST` of the broker"},
		&cli.StringSliceFlag{Name: "url", EnvVars: env("url"), Category: catBroker, Usage: "`URL` instead of all that: amqp[s]://user:password@host:port/vhost; repeat it (in the variable: with blanks between) for brokers to try in turn"},
		&cli.BoolFlag{Name: "ssl", EnvVars: env("ssl"), Category: catBroker, Usage: "use TLS towards the broker"},
		&cli.PathFlag{Name: "ca", EnvVars: env("ca"), Category: catBroker, Usage: "`FILE` with the certificates that sign the broker's (PEM); default the system's"},
		&cli.PathFlag{Name: "cert", EnvVars: env("cert"), Category: catBroker, Usage: "`FILE` with the bridge's own certificate (PEM)"},
		&cli.PathFlag{Name: "key", EnvVars: env("key"), Category: catBroker, Usage: "`FILE` with the key of --cert (PEM)"},
		&cli.BoolFlag{Name: "fail-fast", EnvVars: env("fail-fast"), Category: catBroker, Usage: "exit when the broker cannot be reached at the start, instead of trying on"},
		&cli.BoolFlag{Name: "embedded-broker", EnvVars: env("embedded-broker"), Category: catBroker, Usage: "be the broker too, on 127.0.0.1 and --rabbitmq-port: for development"},
	}
}

func cluFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "name", EnvVars: env("name"), Category: catCLU, DefaultText: "amqp-client-<12 hex digits>", Usage: "`NAME` of the bridge as a CLU client"},
		&cli.StringFlag{Name: "exchange", Value: actor.Exchange, EnvVars: env("exchange"), Category: catCLU, Usage: "`EXCHANGE` that the actors use"},
		&cli.StringFlag{Name: "nan", Value: "null", EnvVars: env("nan"), Category: catCLU, Usage: "`HOW` to write NaN and Infinity: null, string, or python (bare, as CLU does)"},
		&cli.BoolFlag{Name: "naive-time", EnvVars: env("naive-time"), Category: catCLU, Usage: "write timestamps without +00:00, as CLU before 2.6 did"},
		&cli.BoolFlag{Name: "check-consumers", EnvVars: env("check-consumers"), Category: catCLU, Usage: "fail a command whose actor has no queue <actor>_commands, also where a tap hears every command; not for actors that name their queue otherwise"},
		&cli.DurationFlag{Name: "batch", EnvVars: env("batch"), Category: catCLU, Usage: "`TIME`, up to 1s, for which a reply to plain clients may wait for others, so that they leave in one write; v1 clients ask for it themselves (batch_ms)"},
		&cli.BoolFlag{Name: "clu-strict", EnvVars: env("clu-strict"), Category: catCLU, Usage: "ignore bad input in silence, as CLU does"},
	}
}

// testFlags are left out of --help: they choose what the system decides otherwise.
func testFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "poller", Hidden: true, Usage: "`WHICH` poller serves clients, for tests: portable, or the system's own if empty"},
	}
}

// usePortablePoller reports whether --poller asks for the portable one.
func usePortablePoller(c *cli.Context) (bool, error) {
	switch which := c.String("poller"); which {
	case "":
		return false, nil
	case "portable":
		return true, nil
	default:
		return false, fmt.Errorf("--poller %q is unknown; choose portable, or leave it out", which)
	}
}

func logLevel(c *cli.Context) (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return 0, fmt.Errorf("--log-level %q is no level; choose debug, info, warn or error", c.String("log-level"))
	}
	return level, nil
}

// password is the broker password. It has no default among the flags, so that
// help never shows one that came from the environment.
func password(c *cli.Context) string {
	if c.IsSet("password") {
		return c.String("password")
	}
	return "guest"
}

// brokerURLs are the brokers to try, with the credentials that a URL leaves out.
func brokerURLs(c *cli.Context) ([]string, error) {
	if err := checkPort(c, "rabbitmq-port", 1); err != nil {
		return nil, err
	}
	// A URL has no blanks: they stand between the URLs of an environment variable.
	given := strings.Fields(strings.Join(c.StringSlice("url"), " "))
	if len(given) == 0 {
		u, err := brokerURL(c)
		return []string{u}, err
	}
	for _, flag := range []string{"rabbitmq-host", "rabbitmq-port", "vhost", "ssl"} {
		if c.IsSet(flag) {
			return nil, fmt.Errorf("--url and --%s are both given; the URL says it all (amqps:// for TLS)", flag)
		}
	}
	urls := make([]string, 0, len(given))
	for _, raw := range given {
		if err := amqpx.CheckURL(raw); err != nil {
			return nil, fmt.Errorf("--url: %w", err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return nil, errors.New("--url: the broker URL cannot be read")
		}
		u.User = credentials(c, u.User)
		urls = append(urls, u.String())
	}
	return urls, nil
}

// credentials is a URL's name and password, each from its flag if the URL has none.
func credentials(c *cli.Context, given *url.Userinfo) *url.Userinfo {
	name, secret := c.String("user"), password(c)
	if given.Username() != "" {
		name = given.Username()
	}
	if own, ok := given.Password(); ok {
		secret = own
	}
	return url.UserPassword(name, secret)
}

func brokerURL(c *cli.Context) (string, error) {
	host := c.String("rabbitmq-host")
	if bare, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(bare, "]") // as an IPv6 address stands in a URL
	}
	u := url.URL{
		Scheme: "amqp",
		User:   credentials(c, nil),
		Host:   net.JoinHostPort(host, strconv.Itoa(c.Int("rabbitmq-port"))),
		Path:   "/",
	}
	if c.Bool("ssl") {
		u.Scheme = "amqps"
	}
	_, err := netip.ParseAddr(host)
	if host == "" || err != nil && strings.Contains(host, ":") || amqpx.CheckURL(u.String()) != nil {
		return "", fmt.Errorf("--rabbitmq-host %q is no host; give a name or an address, and the port as --rabbitmq-port", c.String("rabbitmq-host"))
	}
	switch v := c.String("vhost"); v {
	case "":
		return "", errors.New(`--vhost "" names no virtual host; the usual one is /`)
	case "/":
	default:
		u.Path = "/" + v
		u.RawPath = "/" + strings.ReplaceAll(url.QueryEscape(v), "+", "%20") // PathEscape leaves an @
	}
	return u.String(), nil
}

// checkPort refuses what is no TCP port.
func checkPort(c *cli.Context, flag string, from int) error {
	if port := c.Int(flag); port < from || port > 65535 {
		return fmt.Errorf("--%s %d is no port; choose one from %d to 65535", flag, port, from)
	}
	return nil
}

// brokerTLS is the TLS configuration for amqps URLs; nil is the default one.
func brokerTLS(c *cli.Context, urls []string) (*tls.Config, error) {
	ca, cert, key := c.Path("ca"), c.Path("cert"), c.Path("key")
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	for _, u := range urls {
		if !strings.HasPrefix(u, "amqps:") {
			return nil, errors.New("--ca, --cert and --key need TLS; add --ssl, or use an amqps:// URL")
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("--cert and --key belong together; give both")
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s has no PEM certificate", ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--cert and --key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
