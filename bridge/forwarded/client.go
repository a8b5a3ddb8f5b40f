package forwarded

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ErrConflict is returned if X-Forwarded-For and Forwarded name different clients.
var ErrConflict = errors.New("X-Forwarded-For and Forwarded name different clients; configure the proxy to remove the field that it does not write")

// Client returns the client's address for a request that came from peer, given the lines of
// X-Forwarded-For and Forwarded. The port is 0 if unknown. With [ErrConflict] the client is
// unknown; with any other error the address is that of the last known proxy.
func (p *Proxies) Client(peer netip.AddrPort, xForwardedFor, forwarded []string) (netip.AddrPort, error) {
	if !p.Trusts(peer.Addr()) {
		return peer, nil
	}
	client, err := p.walk(peer, splitList(xForwardedFor, false))
	if len(forwarded) == 0 {
		return client, err
	}
	nodes, wrong := forParams(splitList(forwarded, true))
	other, wrong2 := p.walk(peer, nodes)
	wrong = errors.Join(wrong, wrong2)
	if len(xForwardedFor) == 0 {
		return other, wrong
	}
	if err = errors.Join(err, wrong); err == nil && client.Addr() != other.Addr() {
		return netip.AddrPort{}, ErrConflict
	} else if err != nil {
		return peer, err
	}
	return client, nil
}

// walk walks a list of addresses from its end, past trusted proxies.
func (p *Proxies) walk(from netip.AddrPort, nodes []string) (netip.AddrPort, error) {
	for _, node := range slices.Backward(nodes) {
		if !p.Trusts(from.Addr()) {
			break
		}
		next, ok := parseNode(node)
		if !ok {
			return from, fmt.Errorf("a proxy names its client %.60q, which is not an address", node)
		}
		from = next
	}
	return from, nil
}

// parseNode parses an address with or without port; IPv6 addresses may be in brackets.
func parseNode(s string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.Addr().Zone() == ""
	}
	if bare, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(bare, "]")
	}
	addr, err := netip.ParseAddr(s)
	return netip.AddrPortFrom(addr.Unmap(), 0), err == nil && addr.Zone() == ""
}

// splitList returns the members of a list on several lines (RFC 9110, 5.6.1). If quotes are
// allowed, commas within them do not separate. An unclosed quote is a client's forgery, and
// must not swallow what proxies appended.
func splitList(lines []string, quotes bool) (members []string) {
	for _, line := range lines {
		quotes := quotes && strings.Count(line, `"`)%2 == 0
		quoted, begin := false, 0
		for i := range len(line) {
			switch {
			case line[i] == '"' && quotes:
				quoted = !quoted
			case line[i] == ',' && !quoted:
				members = append(members, line[begin:i])
				begin = i + 1
			}
		}
		members = append(members, line[begin:])
	}
	for i := range members {
		members[i] = strings.Trim(members[i], " \t")
	}
	return slices.DeleteFunc(members, func(m string) bool { return m == "" })
}

// forParams returns the "for" parameter of each element of Forwarded (RFC 7239, 4), or ""
// for an element without one.
func forParams(elements []string) (nodes []string, err error) {
	for _, element := range elements {
		node := ""
		for pair := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if !strings.EqualFold(strings.Trim(name, " \t"), "for") {
				continue
			}
			if node != "" {
				return nil, fmt.Errorf(`an element of Forwarded has two "for": %.60q`, element)
			}
			node = strings.Trim(value, ` "`)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
