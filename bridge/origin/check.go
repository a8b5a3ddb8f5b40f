package origin

import (
	"fmt"
	"strings"
)

// Listener describes who can reach a listener.
type Listener struct {
	// Local is set if only this machine can reach it: on loopback, and for a Unix
	// socket.
	Local bool
	// Admin is set for the admin listener.
	Admin bool
	// Hostname is the host name in the admin listener's address, or "".
	Hostname string
	// Access is set if clients have to say who they are. Then pages may use the listener if
	// they come from it, or are listed.
	Access bool
}

// Request has the relevant fields of a request.
type Request struct {
	Origins []string // the values of Origin
	Host    string   // the value of Host; "" if missing, as HTTP/1.0 allows
	// Asked is the origin that the browser asked, scheme://host or scheme://host:port, as a
	// trusted proxy names it if there is one.
	Asked string
	// Proxied is set if a trusted proxy names the client of the request. No page can make its
	// browser's upgrade say so. What a page fetches may, where a browser is at a trusted
	// address, so a plain request must not change anything.
	Proxied bool
	// Site, Mode and Dest are the values of Sec-Fetch-Site, Sec-Fetch-Mode and
	// Sec-Fetch-Dest.
	Site, Mode, Dest string
}

// The kinds of rejections.
const (
	KindOrigin = "origin"
	KindHost   = "host"
)

// RejectError says why a request is rejected.
type RejectError struct {
	// Kind is [KindOrigin] or [KindHost].
	Kind string
	// Value is the origin or host as sent.
	Value  string
	reason string
}

// Error returns the reason, with the flag that would allow the request.
func (r *RejectError) Error() string { return r.reason }

// Check returns an error if the request comes from a page that may not use the bridge, else
// nil.
func (p *Policy) Check(l Listener, r Request) *RejectError {
	if no := p.CheckHost(l, r); no != nil {
		return no
	}
	return p.CheckOrigin(l, r)
}

// CheckHost is the part of Check that is about the Host.
func (p *Policy) CheckHost(l Listener, r Request) *RejectError {
	if l.Access && !l.Admin && r.Proxied {
		return nil // the host is the proxy's, and its client is no page that resolved a name to this machine
	}
	if !p.allowsHost(l, r.Host) {
		return reject(KindHost, r.Host, "the Host %s is not known here, and any page could have a name that resolves to this address (DNS rebinding);"+
			" use %s, or start the bridge with --origin https://%[1]s", truncate(r.Host), l.examples())
	}
	return nil
}

// CheckOrigin is the part of Check that is about the page's origin.
func (p *Policy) CheckOrigin(l Listener, r Request) *RejectError {
	if len(r.Origins) == 0 {
		if l.Admin && r.Site == "cross-site" && !r.isNavigation() {
			return reject(KindOrigin, r.Site, "pages of other sites may not request this; use a program, or open the address directly")
		}
		return nil
	}
	return p.checkPage(l, strings.Join(r.Origins, ", "), r)
}

// isNavigation reports whether the user navigates to the address itself, by a link for
// example, rather than a page loading it as an image or a frame.
func (r *Request) isNavigation() bool {
	return r.Mode == "navigate" && (r.Dest == "document" || r.Dest == "")
}

// checkPage checks a page's origin.
func (p *Policy) checkPage(l Listener, given string, r Request) *RejectError {
	o, ok := parse(given)
	switch {
	case p.all || ok && p.listed[o] || given == opaqueOrigin && p.null:
		return nil
	case !p.explicit && !l.Local && !l.Admin && !l.Access:
		return nil
	case l.Access && ok && sameOrigin(o, r.Asked):
		return nil
	case !ok && given != opaqueOrigin:
		return reject(KindOrigin, given, "%q is not a page's origin; --origin takes scheme://host or scheme://host:port, as browsers send it", truncate(given))
	case p.explicit:
		return reject(KindOrigin, given, "pages of %s may not use this bridge; to allow them, add --origin %[1]s", truncate(given))
	case l.Access && !l.Admin:
		return reject(KindOrigin, given, "pages of %s may not use this bridge without a bearer token; to allow them, start the bridge with --origin %[1]s", truncate(given))
	case l.Local && !l.Access && o.local() || l.Admin && sameHost(o, r.Host):
		return nil
	case l.Admin:
		return reject(KindOrigin, given, "pages of %s may not use this port; to allow them, start the bridge with --origin %[1]s", truncate(given))
	}
	return reject(KindOrigin, given, "pages of %s may not use a bridge that listens on this machine only; to allow them, start it with --origin %[1]s", truncate(given))
}

// allowsHost reports whether a request may have this value of Host.
func (p *Policy) allowsHost(l Listener, field string) bool {
	if !l.Admin && (!l.Local || p.all) || field == "" { // browsers always send one
		return true
	}
	host := hostname(field)
	if isLoopback(host) || p.hosts[host] {
		return true
	}
	return l.Admin && (isAddress(host) || l.Hostname != "" && strings.EqualFold(host, l.Hostname))
}

func (l Listener) examples() string {
	if l.Admin && l.Hostname != "" {
		return "localhost, " + l.Hostname + " or the address"
	}
	return "localhost or 127.0.0.1"
}

// sameHost reports whether a page's origin is the requested host.
func sameHost(o webOrigin, field string) bool {
	asked, ok := parse(o.scheme + "://" + strings.TrimSpace(field))
	return ok && asked == o
}

// sameOrigin reports whether a page's origin is the one that its browser asked.
func sameOrigin(o webOrigin, asked string) bool {
	a, ok := parse(asked)
	return ok && a == o
}

func reject(kind, value, format string, args ...any) *RejectError {
	return &RejectError{Kind: kind, Value: truncate(value), reason: fmt.Sprintf(format, args...)}
}

// truncate cuts untrusted text to 60 bytes.
func truncate(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
