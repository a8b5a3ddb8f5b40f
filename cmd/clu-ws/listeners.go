package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"syscall"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/listen"
)

// listeners describes the listeners for clients.
type listeners struct {
	addresses   []clientAddress // of --listen, or the one of --host and --port
	flag        string          // the flag that the addresses are from
	host        string          // of --host; "" if it is not given
	port        int             // of --port; 0 if it is not given
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
		if err := l.agreesWith(all); err != nil {
			return all, err
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

// agreesWith returns an error unless the sockets that systemd has passed are what --host and --port
// say, as far as these are given: what an operator wrote must not go unnoticed. Unix sockets have
// neither.
func (l *listeners) agreesWith(passed []*listen.Listener) error {
	for _, ln := range passed {
		at, ok := ln.Addr().(*net.TCPAddr)
		if ok && (l.port != 0 && at.Port != l.port || !withinHost(at.IP, l.host)) {
			return fmt.Errorf("systemd has passed sockets, one of them at %s, and --host or --port says another address; leave them out, change ListenStream= of the .socket unit, or use --listen for more", at)
		}
	}
	return nil
}

// withinHost reports whether no more clients reach an address than a --host admits.
func withinHost(ip net.IP, host string) bool {
	admitted := net.ParseIP(host)
	if host == "localhost" {
		admitted = net.IPv6loopback
	}
	switch {
	case host == "", admitted.IsUnspecified():
		return true
	case admitted.IsLoopback():
		return ip.IsLoopback()
	}
	return admitted.Equal(ip)
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
	if servesOnlyDialect(&cfg) {
		return // which sends no commands
	}
	log.Warn("commands are open to everyone who can reach this address; say who may do what in the section access of --config (docs/access.md), or use --host 127.0.0.1 behind a proxy, or a firewall", "address", addresses)
	if len(cfg.Origins) == 0 {
		log.Warn("every web page in a browser that can reach this address may send commands; list the pages that may with --origin", "address", addresses)
	}
}

// servesOnlyDialect reports whether every path is that of another system's protocol, so that no client
// hears actors or sends them commands.
func servesOnlyDialect(cfg *bridge.Config) bool {
	return slices.ContainsFunc(cfg.Dialects, func(m dialect.Mount) bool { return m.Path == "/" })
}

func closeAll(all []*listen.Listener) {
	for _, ln := range all {
		ln.Close()
	}
}
