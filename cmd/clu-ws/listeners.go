package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/listen"
)

// listeners are where clients arrive.
type listeners struct {
	addresses   []clientAddress // of --listen, or the one of --host and --port
	flag        string           // which of them
	isDefault     bool             // the address is a default: sockets from systemd replace it
	options     listen.Options
	certificate *listen.Certificate // nil: no TLS
	proxy       bool                // expect the PROXY protocol on all of them
}

// clientAddress is the address of one client listener.
type clientAddress struct {
	listen.Address
	proxy bool // expect the PROXY protocol
}

func readListeners(c *cli.Context) (d listeners, err error) {
	if d.addresses, d.flag, err = addresses(c); err != nil {
		return d, err
	}
	d.isDefault = !c.IsSet("listen") && !c.IsSet("host") && !c.IsSet("port")
	d.proxy = c.Bool("proxy-protocol")
	d.options.ReusePort = c.Bool("reuse-port")
	mode, err := strconv.ParseUint(c.String("socket-mode"), 8, 32)
	if err != nil || mode > 0o777 {
		return d, fmt.Errorf("--socket-mode %q is no mode; write it in octal, as 0660 for a user and a group", c.String("socket-mode"))
	}
	d.options.Mode = fs.FileMode(mode)
	d.certificate, err = certificate(c)
	return d, err
}

// addresses are where to listen, and the flag that says so.
func addresses(c *cli.Context) (where []clientAddress, flag string, err error) {
	given := c.StringSlice("listen")
	if len(given) == 1 {
		given = strings.Split(given[0], ",") // as a variable holds several
	}
	if len(given) == 0 {
		port := c.Int("port")
		if port < 0 || port > 65535 {
			return nil, "", fmt.Errorf("--port %d is no port; choose one from 1 to 65535, or 0 for a free one", port)
		}
		only := listen.Address{Network: "tcp", Name: net.JoinHostPort(c.String("host"), strconv.Itoa(port))}
		return []clientAddress{{Address: only}}, "--port", nil
	}
	for _, flag := range []string{"host", "port"} {
		if c.IsSet(flag) {
			return nil, "", fmt.Errorf("--listen and --%s are both given; --listen says it all, and may be repeated", flag)
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

// certificate is what browsers are shown; nil without TLS.
func certificate(c *cli.Context) (*listen.Certificate, error) {
	cert, key := c.Path("tls-cert"), c.Path("tls-key")
	switch {
	case cert == "" && key == "":
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

// open makes every listener: those that systemd passed, then those of the flags.
func (d *listeners) open(ctx context.Context, log *slog.Logger) (all []*listen.Listener, err error) {
	defer func() {
		if err != nil {
			closeAll(all)
		}
	}()
	inherited, err := listen.Inherited()
	if err != nil {
		return nil, fmt.Errorf("systemd: %w", err)
	}
	for _, s := range inherited {
		log.Info("listening on a socket from systemd", "name", s.Name, "address", s.Addr().String())
		all = append(all, &listen.Listener{Listener: s.Listener, Proxy: d.proxy})
	}
	wanted := d.addresses
	if len(inherited) > 0 && d.flag == "--port" {
		if !d.isDefault {
			return all, errors.New("systemd has passed sockets, and --host or --port is given too; leave them out, or use --listen for more")
		}
		wanted = nil
	}
	for _, a := range wanted {
		ln, err := listen.Open(ctx, a.Address, d.options)
		if err != nil {
			return all, d.openError(a.Address, err)
		}
		all = append(all, &listen.Listener{Listener: ln, Proxy: a.proxy || d.proxy})
	}
	return all, nil
}

func (d *listeners) openError(a listen.Address, err error) error {
	if a.Network == "unix" {
		return fmt.Errorf("the bridge cannot listen at %s: %w", a, err)
	}
	choose := "choose another " + d.flag + ", or share it with --reuse-port on both"
	if d.options.ReusePort {
		choose = "let it have --reuse-port and the same user too, or choose another " + d.flag
	}
	return listenError("the bridge", a.Name, choose, err)
}

// addTLS puts TLS on the listeners that it is for, and says so.
func (d *listeners) addTLS(all []*listen.Listener, log *slog.Logger) {
	if d.certificate == nil {
		return
	}
	log.Info("browsers are shown this certificate", "certificate", d.certificate)
	if d.certificate.Expired() {
		log.Warn("browsers refuse this certificate: it has expired", "certificate", d.certificate)
	}
	for _, ln := range all {
		if !ln.EnableTLS(d.certificate) {
			log.Info("a Unix socket is served without TLS", "address", ln.Addr().String())
		}
	}
}

func closeAll(listeners []*listen.Listener) {
	for _, ln := range listeners {
		ln.Close()
	}
}
