package origin

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// anyOrigin allows every page, and opaqueOrigin pages without an origin.
const (
	anyOrigin    = "*"
	opaqueOrigin = "null"
)

// webOrigin is a normalized origin: lower case, without the scheme's default port (RFC
// 6454, 4 and 6.2).
type webOrigin struct{ scheme, host, port string }

// parse parses scheme://host or scheme://host:port.
func parse(text string) (o webOrigin, ok bool) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme == "" || strings.ContainsAny(rest, "/?#@\\ \t,") {
		return o, false
	}
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") {
		return o, false
	}
	o = webOrigin{u.Scheme, u.Hostname(), u.Port()}
	if o.scheme == "http" && o.port == "80" || o.scheme == "https" && o.port == "443" {
		o.port = ""
	}
	return o, !strings.ContainsFunc(o.host, func(r rune) bool { return r > '~' })
}

// local reports whether the origin is a web server on this machine, on any port.
func (o webOrigin) local() bool {
	return (o.scheme == "http" || o.scheme == "https") && isLoopback(o.host)
}

// hostname returns the host of a Host field, without port, in lower case.
func hostname(field string) string {
	u := url.URL{Host: strings.ToLower(strings.TrimSpace(field))}
	return strings.TrimSuffix(u.Hostname(), ".")
}

// isLoopback reports whether a name or address is on loopback. Names below localhost are,
// because they cannot be registered (RFC 6761, 6.3).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Policy decides which pages may use a bridge. It is immutable and safe for concurrent use.
type Policy struct {
	explicit bool // a list was given: all other origins are rejected
	all      bool
	null     bool
	listed   map[webOrigin]bool
	hosts    map[string]bool // the hosts of listed
}

// New returns a policy for a list of origins, such as https://console.example:8443, "null"
// and "*". With an empty list, the listener decides.
func New(list []string) (*Policy, error) {
	p := &Policy{explicit: len(list) > 0, listed: map[webOrigin]bool{}, hosts: map[string]bool{}}
	for _, text := range list {
		switch text {
		case anyOrigin:
			p.all = true
			continue
		case opaqueOrigin:
			p.null = true
			continue
		}
		o, ok := parse(text)
		if !ok {
			return nil, fmt.Errorf("%q is not an origin; write scheme://host or scheme://host:port as a browser sends it, such as https://console.example (no path, no slash at the end), or null, or * for every page", text)
		}
		p.listed[o], p.hosts[o.host] = true, true
	}
	return p, nil
}
