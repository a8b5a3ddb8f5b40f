package listen

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Address is an address to listen on.
type Address struct {
	Network string // tcp or unix
	Name    string // host:port, or the path of the socket
	File    File   // of a Unix socket
}

// String returns the address in the form that [ParseAddress] accepts.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Name + a.File.query()
	}
	return a.Name
}

// ParseAddress parses host:port, tcp:host:port or unix:path, the latter with an optional mode and
// group: unix:path?mode=0660&group=www-data. An empty host means every address of the machine, and
// port 0 a free port. It fails if the system does not know the group.
func ParseAddress(s string) (Address, error) {
	if rest, ok := strings.CutPrefix(s, "unix:"); ok {
		return unixAddress(rest)
	}
	name := strings.TrimPrefix(s, "tcp:")
	_, port, err := net.SplitHostPort(name)
	if err != nil {
		return Address{}, fmt.Errorf("%q is not an address; write host:port, tcp:host:port or unix:/path/to/socket", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Address{}, fmt.Errorf("%q has no port; choose one from 1 to 65535, or 0 for a free one", s)
	}
	return Address{Network: "tcp", Name: name}, nil
}

func unixAddress(rest string) (Address, error) {
	path, query, _ := strings.Cut(rest, "?")
	switch {
	case path == "":
		return Address{}, errors.New("unix: has no path; write unix:/path/to/socket")
	case path[0] == '@':
		return Address{}, fmt.Errorf("unix:%s is an abstract socket, without file permissions; write unix:/path/to/socket", path)
	case len(path) > maxPath:
		return Address{}, fmt.Errorf("the path of unix:%s has %d bytes, but a socket's may have at most %d; choose a shorter one", path, len(path), maxPath)
	}
	file, err := parseFile(query)
	if err != nil {
		return Address{}, fmt.Errorf("unix:%s: %w", rest, err)
	}
	return Address{Network: "unix", Name: path, File: file}, nil
}

// CutProxy removes the prefix proxy: from an address, and reports whether it was there. It
// means that clients connect through a proxy that speaks the PROXY protocol.
func CutProxy(s string) (address string, proxy bool) { return strings.CutPrefix(s, "proxy:") }

// URLs returns the addresses where clients connect to a listener, for messages.
func (ln *Listener) URLs() string {
	proxy := ""
	if ln.Proxy {
		proxy = "PROXY "
	}
	switch at := ln.Addr(); {
	case ln.TLS != nil:
		return fmt.Sprintf("%shttps://%s and wss://%s", proxy, at, at)
	case at.Network() == "unix":
		return proxy + "unix:" + at.String()
	default:
		return fmt.Sprintf("%shttp://%s and ws://%s", proxy, at, at)
	}
}

// BeyondLoopback reports whether other machines may reach a listener.
func BeyondLoopback(ln net.Listener) bool {
	tcp, ok := ln.Addr().(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}
