package forwarded

import (
	"fmt"
	"net/netip"
	"slices"
)

// Proxies is a set of trusted proxies. A nil set trusts none.
type Proxies struct {
	prefixes []netip.Prefix
	unix     bool
}

// Parse parses a list of networks (10.0.0.0/8), addresses, and "unix" for the peers of
// Unix sockets. It returns nil for an empty list.
func Parse(list []string) (*Proxies, error) {
	if len(list) == 0 {
		return nil, nil
	}
	p := &Proxies{}
	for _, text := range list {
		if text == "unix" {
			p.unix = true
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, wrong := netip.ParseAddr(text)
			if wrong != nil {
				return nil, fmt.Errorf("%q is not a network; write 10.0.0.0/8, an address such as 127.0.0.1, or unix for Unix sockets", text)
			}
			prefix = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 { // as addresses are compared
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		p.prefixes = append(p.prefixes, prefix.Masked())
	}
	return p, nil
}

// Trusts reports whether an address is a trusted proxy's. The zero address is the peer
// of a Unix socket.
func (p *Proxies) Trusts(addr netip.Addr) bool {
	if p == nil {
		return false
	}
	if !addr.IsValid() {
		return p.unix
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(p.prefixes, func(n netip.Prefix) bool { return n.Contains(addr) })
}
