package origin

import (
	"fmt"
	"strings"
)

// Listener is how a listener is reached.
type Listener struct {
	// Local is set where this machine alone reaches it: on loopback, and by a Unix
	// socket.
	Local bool
	// Admin is set for the admin's.
	Admin bool
	// Own is the name by which an admin's listener was configured, or "".
	Own string
}

// Request is what a request says of itself.
type Request struct {
	Origins []string // the values of its fields Origin
	Host    string   // that of its field Host; "" where HTTP/1.0 has none
	// Site and Mode are its fields Sec-Fetch-Site and Sec-Fetch-Mode.
	Site, Mode string
}

// Refusal says why a request is refused.
type Refusal struct {
	// Kind is "origin" or "host".
	Kind string
	// Value is the origin or host, as it was sent.
	Value  string
	reason string
}

// Error is the reason in words, with the flag that would change it.
func (r *Refusal) Error() string { return r.reason }

// Check refuses a request of a page that may not use the bridge; nil lets it in.
func (p *Policy) Check(l Listener, r Request) *Refusal {
	if host := hostname(r.Host); !p.knowsHost(l, host) {
		return refuse("host", r.Host, "the Host %s is not known, and the name of any page could resolve to this address (DNS rebinding);"+
			" use %s, or start the bridge with --origin https://%[1]s", short(r.Host), l.examples())
	}
	if len(r.Origins) == 0 {
		if l.Admin && r.Site == "cross-site" && r.Mode != "navigate" {
			return refuse("origin", r.Site, "pages of other sites may not request this; use a program, or open the address itself")
		}
		return nil
	}
	given := strings.Join(r.Origins, ", ")
	switch {
	case p.allows(given):
		return nil
	case p.given:
		return refuse("origin", given, "pages of %s may not use this bridge; add --origin %[1]s to allow them", short(given))
	case l.Admin:
		if o, ok := parse(given); ok && (sameHost(o, r.Host) || l.Local && o.local()) {
			return nil
		}
		return refuse("origin", given, "pages of %s may not use this port; start the bridge with --origin %[1]s to allow them", short(given))
	case l.Local:
		if o, ok := parse(given); ok && o.local() {
			return nil
		}
		return refuse("origin", given, "pages of %s may not use a bridge that listens on this machine only; start it with --origin %[1]s to allow them", short(given))
	}
	return nil
}

// knowsHost reports whether a request may name a host.
func (p *Policy) knowsHost(l Listener, host string) bool {
	switch {
	case host == "", isLoopback(host), p.hosts[host]: // no browser leaves it out
		return true
	case l.Admin:
		return isAddress(host) || l.Own != "" && strings.EqualFold(host, l.Own)
	case l.Local:
		return p.all
	}
	return true
}

func (l Listener) examples() string {
	if l.Admin && l.Own != "" {
		return "localhost, " + l.Own + " or the address"
	}
	return "localhost or 127.0.0.1"
}

// sameHost reports whether a page comes from the very host that it asks.
func sameHost(o parsed, field string) bool {
	asked, ok := parse(o.scheme + "://" + strings.TrimSpace(field))
	return ok && asked == o
}

func refuse(kind, value, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, Value: short(value), reason: fmt.Sprintf(format, args...)}
}

// short is what was sent, cut off where it is long.
func short(s string) string {
	const most = 60 // bytes
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
