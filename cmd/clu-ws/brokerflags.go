package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
)

func brokerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "rabbitmq-host", Aliases: []string{"H"}, Value: "localhost", EnvVars: env("rabbitmq-host"), Category: catBroker, Usage: "`HOST` of the AMQP broker"},
		&cli.IntFlag{Name: "rabbitmq-port", Aliases: []string{"P"}, Value: 5672, EnvVars: env("rabbitmq-port"), Category: catBroker, Usage: "`PORT` of the AMQP broker"},
		&cli.StringFlag{Name: "user", Value: "guest", EnvVars: env("user"), Category: catBroker, Usage: "user `NAME` at the broker"},
		&cli.StringFlag{Name: "password", DefaultText: "guest", EnvVars: env("password"), Category: catBroker, Usage: "`PASSWORD` at the broker; better file:PATH or credential:NAME, which are not visible to ps"},
		&cli.StringFlag{Name: "vhost", Value: "/", EnvVars: env("vhost"), Category: catBroker, Usage: "virtual `HOST` at the broker"},
		&cli.StringSliceFlag{Name: "url", EnvVars: env("url"), Category: catBroker, Usage: "`URL` of a broker, instead of --rabbitmq-host and the like: amqp[s]://user:password@host:port/vhost; several are tried in turn" + repeatable},
		&cli.BoolFlag{Name: "ssl", EnvVars: env("ssl"), Category: catBroker, Usage: "connect to the broker over TLS"},
		&cli.PathFlag{Name: "ca", EnvVars: env("ca"), Category: catBroker, DefaultText: "the system's authorities", Usage: "`FILE` with the certificates of the authorities that may sign the broker's (PEM)"},
		&cli.PathFlag{Name: "cert", EnvVars: env("cert"), Category: catBroker, Usage: "`FILE` with the certificate that the bridge shows to the broker (PEM)"},
		&cli.PathFlag{Name: "key", EnvVars: env("key"), Category: catBroker, Usage: "`FILE` with the key of --cert (PEM)"},
		&cli.BoolFlag{Name: "fail-fast", EnvVars: env("fail-fast"), Category: catBroker, Usage: "exit if the broker cannot be reached at the start, instead of trying again"},
		&cli.BoolFlag{Name: "embedded-broker", EnvVars: env("embedded-broker"), Category: catBroker, Usage: "run a broker in this process, on 127.0.0.1 and --rabbitmq-port; for development, or if there are no actors"},
	}
}

// readBroker reads the flags of the broker into a bridge's configuration. The
// address of an embedded broker is known once it listens.
func readBroker(c *cli.Context, cfg *bridge.Config) (err error) {
	cfg.FailFast = c.Bool("fail-fast")
	if c.Bool("embedded-broker") {
		for _, flag := range []string{"url", "rabbitmq-host", "vhost", "ssl", "ca", "cert", "key"} {
			if c.IsSet(flag) {
				return fmt.Errorf("--embedded-broker is the broker; leave --%s out", flag)
			}
		}
		return checkPort(c, "rabbitmq-port", 0)
	}
	if cfg.Broker, err = brokerURLs(c); err != nil {
		return err
	}
	cfg.TLS, err = brokerTLS(c, cfg.Broker)
	return err
}

// password returns the broker password. The flag has no default value, so that
// --help never shows one from the environment.
func password(c *cli.Context) (string, error) {
	if c.IsSet("password") {
		return secretText("password", c.String("password"))
	}
	return "guest", nil
}

// severalURLs matches URLs that a comma separates.
var severalURLs = regexp.MustCompile(`,amqps?://`)

// givenURLs returns the values of --url.
func givenURLs(c *cli.Context) (urls []string, err error) {
	for _, value := range listValues(c, "url") {
		text, err := secretText("url", value)
		if err != nil {
			return nil, err
		}
		urls = append(urls, strings.Fields(text)...)
	}
	if slices.ContainsFunc(urls, severalURLs.MatchString) {
		return nil, errors.New("--url: commas do not separate URLs, which may have some; write spaces between them")
	}
	return urls, nil
}

// brokerURLs returns the URLs of the brokers to try. Credentials that a URL lacks
// come from --user and --password.
func brokerURLs(c *cli.Context) ([]string, error) {
	if err := checkPort(c, "rabbitmq-port", 1); err != nil {
		return nil, err
	}
	secret, err := password(c)
	if err != nil {
		return nil, err
	}
	given, err := givenURLs(c)
	if err != nil {
		return nil, err
	}
	if len(given) == 0 {
		u, err := brokerURL(c, secret)
		return []string{u}, err
	}
	for _, flag := range []string{"rabbitmq-host", "rabbitmq-port", "vhost", "ssl"} {
		if c.IsSet(flag) {
			return nil, fmt.Errorf("--url and --%s are both given; leave --%s out and write it into the URL (amqps:// for TLS)", flag, flag)
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
		u.User = credentials(c.String("user"), secret, u.User)
		urls = append(urls, u.String())
	}
	return urls, nil
}

// credentials returns a URL's user name and password, each from its flag if the URL
// has none.
func credentials(name, secret string, given *url.Userinfo) *url.Userinfo {
	if given.Username() != "" {
		name = given.Username()
	}
	if own, ok := given.Password(); ok {
		secret = own
	}
	return url.UserPassword(name, secret)
}

// brokerURL makes a broker's URL from the flags for its parts.
func brokerURL(c *cli.Context, secret string) (string, error) {
	host := c.String("rabbitmq-host")
	if address, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(address, "]") // an IPv6 address as in a URL
	}
	u := url.URL{
		Scheme: "amqp",
		User:   url.UserPassword(c.String("user"), secret),
		Host:   net.JoinHostPort(host, strconv.Itoa(c.Int("rabbitmq-port"))),
		Path:   "/",
	}
	if c.Bool("ssl") {
		u.Scheme = "amqps"
	}
	_, err := netip.ParseAddr(host)
	if host == "" || err != nil && strings.Contains(host, ":") || amqpx.CheckURL(u.String()) != nil {
		return "", fmt.Errorf("--rabbitmq-host %q is not a host; give a name or an address, and the port with --rabbitmq-port", c.String("rabbitmq-host"))
	}
	switch v := c.String("vhost"); v {
	case "":
		return "", errors.New(`--vhost "" is not a virtual host; the default one is /`)
	case "/":
	default:
		u.Path = "/" + v
		u.RawPath = "/" + strings.ReplaceAll(url.QueryEscape(v), "+", "%20") // PathEscape does not escape @
	}
	return u.String(), nil
}

// checkPort returns an error for a number that is not a TCP port. Port 0, which stands for
// a free one, is allowed if lowest is 0.
func checkPort(c *cli.Context, flag string, lowest int) error {
	if port := c.Int(flag); port < lowest || port > 65535 {
		choose := "choose one from 1 to 65535"
		switch {
		case lowest == 0:
			choose += ", or 0 for a free one"
		case port == 0 && flag == "rabbitmq-port":
			choose += ", or 0 with --embedded-broker for a free one"
		}
		return fmt.Errorf("--%s %d is not a port; %s", flag, port, choose)
	}
	return nil
}

// brokerTLS returns the TLS configuration for amqps URLs; nil is the default one.
func brokerTLS(c *cli.Context, urls []string) (*tls.Config, error) {
	ca, caErr := filePath(c, "ca")
	cert, certErr := filePath(c, "cert")
	key, keyErr := filePath(c, "key")
	if err := errors.Join(caErr, certErr, keyErr); err != nil {
		return nil, err
	}
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	for _, u := range urls {
		if !strings.HasPrefix(u, "amqps:") {
			return nil, errors.New("--ca, --cert and --key are for TLS; add --ssl, or use an amqps:// URL")
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("--cert and --key belong together; give both")
	}
	if rereading(c) {
		return nil, nil
	}
	return loadBrokerTLS(ca, cert, key)
}

// loadBrokerTLS reads the certificates of the authorities, and the bridge's own; "" is none.
func loadBrokerTLS(ca, cert, key string) (*tls.Config, error) {
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
