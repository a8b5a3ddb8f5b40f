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
	// Site, Mode and Dest are its fields Sec-Fetch-Site, Sec-Fetch-Mode and
	// Sec-Fetch-Dest.
	Site, Mode, Dest string
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
	if !p.knowsHost(l, r.Host) {
		return refuse("host", r.Host, "the Host %s is not known here, and any page could have a name that leads here (DNS rebinding);"+
			" ask for %s, or start the bridge with --origin https://%[1]s", short(r.Host), l.examples())
	}
	if len(r.Origins) == 0 {
		if l.Admin && r.Site == "cross-site" && !r.isVisit() {
			return refuse("origin", r.Site, "a page of another site may not ask this of a browser; use a program, or open the address itself")
		}
		return nil
	}
	return p.checkPage(l, strings.Join(r.Origins, ", "), r.Host)
}

// isVisit reports whether somebody goes to the address, by a link say: no part of
// another page, such as an image or a frame, asks for it.
func (r *Request) isVisit() bool {
	return r.Mode == "navigate" && (r.Dest == "document" || r.Dest == "")
}

// checkPage refuses a page by its origin.
func (p *Policy) checkPage(l Listener, given, host string) *Refusal {
	o, ok := parse(given)
	switch {
	case p.all || ok && p.listed[o] || given == noOrigin && p.null:
		return nil
	case !p.given && !l.Local && !l.Admin:
		return nil
	case !ok && given != noOrigin:
		return refuse("origin", given, "%q is no origin of a page; --origin takes scheme://host and scheme://host:port, as browsers send them", short(given))
	case p.given:
		return refuse("origin", given, "pages of %s may not use this bridge; start it with --origin %[1]s, too, if they may", short(given))
	case l.Local && o.local() || l.Admin && sameHost(o, host):
		return nil
	case l.Admin:
		return refuse("origin", given, "pages of %s may not use this port; start the bridge with --origin %[1]s if they may", short(given))
	}
	return refuse("origin", given, "pages of %s may not use a bridge that listens on this machine alone; start it with --origin %[1]s if they may", short(given))
}

// knowsHost reports whether a request may name a host in its field Host.
func (p *Policy) knowsHost(l Listener, field string) bool {
	if !l.Admin && (!l.Local || p.all) || field == "" { // no browser leaves it out
		return true
	}
	host := hostname(field)
	if isLoopback(host) || p.hosts[host] {
		return true
	}
	return l.Admin && (isAddress(host) || l.Own != "" && strings.EqualFold(host, l.Own))
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
