package bridge

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// policies say which pages may connect, and which proxies are trusted. They do not change, but
// may be replaced by others.
type policies struct {
	origins *origin.Policy
	// proxies may name the address of the client, and fronts also those that may name only what
	// the browser asked. nil trusts none.
	proxies, fronts *forwarded.Proxies
}

// policies returns the present ones.
func (b *Bridge) policies() *policies { return b.policy.Load() }

// newPolicies parses the configured policies.
func (b *Bridge) newPolicies() error {
	p, err := parsePolicies(b.cfg.Origins, b.cfg.TrustedProxies, b.cfg.Access)
	b.policy.Store(p)
	return err
}

// parsePolicies parses lists of origins and proxies. Those proxies are trusted, too, that sign
// users in.
func parsePolicies(origins, trustedProxies []string, a *access.Authority) (p *policies, err error) {
	p = new(policies)
	if p.origins, err = origin.New(origins); err != nil {
		return nil, err
	}
	addresses, fronts := trustedProxies, trustedProxies
	if a != nil {
		signIn, also := a.Proxies()
		if fronts = slices.Concat(trustedProxies, signIn); also {
			addresses = fronts
		}
	}
	if p.proxies, err = forwarded.Parse(addresses); err != nil {
		return nil, err
	}
	p.fronts, err = forwarded.Parse(fronts)
	return p, err
}

// originRequest returns the fields of an upgrade that decide whether its page may connect.
func originRequest(p *forwarded.Proxies, r *engine.Request) origin.Request {
	peer, host := r.PeerAddr().Addr(), r.Header("Host")
	return origin.Request{
		Origins: r.Values("Origin"),
		Host:    host,
		Asked:   p.Asked(peer, r.TLS() != nil, host, r.Values),
		Proxied: namesClient(p, peer, r.Values),
	}
}

// originRequestHTTP is originRequest for a request that net/http serves.
func originRequestHTTP(p *forwarded.Proxies, r *http.Request, peer netip.Addr) origin.Request {
	return origin.Request{
		Origins: r.Header.Values("Origin"),
		Host:    r.Host,
		Asked:   p.Asked(peer, r.TLS != nil, r.Host, r.Header.Values),
		Proxied: namesClient(p, peer, r.Header.Values),
		Site:    r.Header.Get("Sec-Fetch-Site"),
		Mode:    r.Header.Get("Sec-Fetch-Mode"),
		Dest:    r.Header.Get("Sec-Fetch-Dest"),
	}
}

// namesClient reports whether a request comes from a trusted proxy that names the client.
func namesClient(p *forwarded.Proxies, peer netip.Addr, values func(string) []string) bool {
	return p.Trusts(peer) && (len(values("X-Forwarded-For")) > 0 || len(values("Forwarded")) > 0)
}
