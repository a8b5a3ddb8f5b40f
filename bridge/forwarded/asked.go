package forwarded

import (
	"net/netip"
	"strings"
)

// Asked returns the origin that a browser asked, scheme://host or scheme://host:port, given
// the Host of the request and whether it came over TLS. The values that a trusted proxy sends
// in X-Forwarded-Proto and X-Forwarded-Host, or in Forwarded (proto and host), replace them:
// they are the browser's view, which the proxy alone knows. get returns the lines of a field.
func (p *Proxies) Asked(peer netip.Addr, secure bool, host string, get func(name string) []string) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	if p.Trusts(peer) {
		first := firstElement(get("Forwarded"))
		if proto := firstOf(get("X-Forwarded-Proto"), first["proto"]); proto != "" {
			scheme = webScheme(proto)
		}
		if named := firstOf(get("X-Forwarded-Host"), first["host"]); named != "" {
			host = named
		}
	}
	return scheme + "://" + strings.TrimSpace(host)
}

// webScheme returns the scheme of the pages that may open a WebSocket as their own: some
// proxies name the WebSocket's.
func webScheme(proto string) string {
	switch proto = strings.ToLower(proto); proto {
	case "ws":
		return "http"
	case "wss":
		return "https"
	}
	return proto
}

// firstOf returns the first member of a list, which the proxy next to the browser wrote, or
// other if the list is empty.
func firstOf(lines []string, other string) string {
	if members := splitList(lines, false); len(members) > 0 {
		return members[0]
	}
	return other
}

// firstElement returns the parameters of the first element of Forwarded (RFC 7239, 4).
func firstElement(lines []string) map[string]string {
	parameters := map[string]string{}
	elements := splitList(lines, true)
	if len(elements) == 0 {
		return parameters
	}
	for pair := range strings.SplitSeq(elements[0], ";") {
		name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		parameters[strings.ToLower(strings.Trim(name, " \t"))] = strings.Trim(value, ` "`)
	}
	return parameters
}
