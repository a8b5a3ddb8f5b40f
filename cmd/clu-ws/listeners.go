package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// listeners describes the listeners for clients.
type listeners struct {
	addresses   []clientAddress // of --listen, or the one of --host and --port
	flag        string          // the flag that the addresses are from
	isDefault   bool            // no flag sets the address: sockets from systemd replace it
	options     listen.Options
	tls         bool                // there is a certificate
	certificate *listen.Certificate // nil: no TLS, or it is not read again
	proxy       bool                // expect the PROXY protocol on all of them
}

// clientAddress is the address of one listener.
type clientAddress struct {
	listen.Address
	proxy bool // expect the PROXY protocol
}

// open opens every listener: those that systemd has passed, then those of the flags.
func (l *listeners) open(ctx context.Context, log *slog.Logger) (all []*listen.Listener, err error) {
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
		all = append(all, &listen.Listener{Listener: s.Listener, Proxy: l.proxy})
	}
	wanted := l.addresses
	if len(inherited) > 0 && l.flag == "--port" {
		if !l.isDefault {
			return all, errors.New("systemd has passed sockets, and --host or --port is given too; leave them out, or use --listen for more")
		}
		wanted = nil
	}
	for _, a := range wanted {
		ln, err := listen.Open(ctx, a.Address, l.options)
		if err != nil {
			return all, l.openError(a.Address, err)
		}
		all = append(all, &listen.Listener{Listener: ln, Proxy: a.proxy || l.proxy})
	}
	return all, nil
}

func (l *listeners) openError(a listen.Address, err error) error {
	if a.Network == "unix" {
		return fmt.Errorf("the bridge cannot listen at %s: %w", a, err)
	}
	advice := "choose another " + l.flag + ", or share it with --reuse-port on both"
	if l.options.ReusePort {
		advice = "give it --reuse-port and the same user too, or choose another " + l.flag
	}
	return listenError("the bridge", a.Name, advice, err)
}

// listenError explains why something cannot listen at an address. Advice is how to
// use another one.
func listenError(what, address, advice string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s cannot listen at %s: another program does; stop it, or %s", what, address, advice)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s may not listen at %s: ports below 1024 need a privilege; %s", what, address, advice)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s cannot listen at %s: this machine has no such address", what, address)
	}
	return fmt.Errorf("%s cannot listen at %s: %w", what, address, err)
}

// addTLS sets the certificate of all TCP listeners.
func (l *listeners) addTLS(all []*listen.Listener, log *slog.Logger) {
	if l.certificate == nil {
		return
	}
	log.Info("serving TLS with a certificate", "certificate", l.certificate)
	logIfExpired(l.certificate, log)
	for _, ln := range all {
		if !ln.EnableTLS(l.certificate) {
			log.Info("serving a Unix socket without TLS", "address", ln.Addr().String())
		}
	}
}

func logIfExpired(certificate *listen.Certificate, log *slog.Logger) {
	if certificate.Expired() {
		log.Warn("the certificate has expired; browsers refuse it", "certificate", certificate)
	}
}

// warnIfExposed warns if other machines can reach a listener, and everyone there may do
// everything, or credentials go there in the clear.
func (l *listeners) warnIfExposed(all []*listen.Listener, cfg bridge.Config, log *slog.Logger) {
	addresses := exposed(all)
	if addresses == "" {
		return
	}
	if cfg.Access != nil {
		if l.certificate == nil && len(cfg.TrustedProxies) == 0 {
			log.Warn("credentials reach this address without encryption; use --tls-cert, or --host 127.0.0.1 behind a proxy", "address", addresses)
		}
		return
	}
	log.Warn("commands are open to everyone who can reach this address; say who may do what in the section access of --config (docs/access.md), or use --host 127.0.0.1 behind a proxy, or a firewall", "address", addresses)
	if len(cfg.Origins) == 0 {
		log.Warn("every web page in a browser that can reach this address may send commands; list the pages that may with --origin", "address", addresses)
	}
}

func closeAll(all []*listen.Listener) {
	for _, ln := range all {
		ln.Close()
	}
}
