package bridge

import (
	"slices"

	"github.com/clu-ws/clu-ws/bridge/forwarded"
	"github.com/clu-ws/clu-ws/bridge/origin"
)

// policies say which pages may connect, and which proxies are trusted. They do not change, but
// may be replaced by others.
type policies struct {
	origins *origin.Policy
	proxies *forwarded.Proxies // nil trusts none
}

// policies returns the present ones.
func (b *Bridge) policies() *policies { return b.policy.Load() }

// newPolicies parses the configured policies.
func (b *Bridge) newPolicies() error {
	trusted := b.cfg.TrustedProxies
	if b.cfg.Access != nil {
		trusted = slices.Concat(trusted, b.cfg.Access.TrustedProxies())
	}
	p, err := parsePolicies(b.cfg.Origins, trusted)
	b.policy.Store(p)
	return err
}

func parsePolicies(origins, trustedProxies []string) (p *policies, err error) {
	p = new(policies)
	if p.origins, err = origin.New(origins); err != nil {
		return nil, err
	}
	p.proxies, err = forwarded.Parse(trustedProxies)
	return p, err
}
