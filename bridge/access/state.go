package access

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/forwarded"
)

// state is a configuration in the form in which it is used. It does not change, except that secrets
// and keys are kept fresh.
type state struct {
	cfg     Config
	options Options

	roles     map[string]*Grants
	anonymous *Principal // nil if a credential is required
	named     namedGrants
	tokens    map[[sha256.Size]byte]*token
	byID      map[string]*token // by credential id
	signed    *signedSource
	jwt       *jwtSource
	callback  *callback
	proxies   *forwarded.Proxies // whose headers are trusted
	revoked   []revocation
}

// newState compiles a configuration, and keeps of the state before what has not changed. Its errors
// are *PathError, joined.
func newState(cfg Config, before *state, o Options) (*state, error) {
	s := &state{cfg: cfg, options: o, roles: make(map[string]*Grants)}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(cfg.Roles)) {
		g, err := ParseGrants(cfg.Roles[name])
		if err != nil {
			errs = append(errs, under("roles."+name, err))
			g = &Grants{}
		}
		s.roles[name] = g
	}
	errs = append(errs, s.addAnonymous(), s.addTokens(), s.addSigned(before), s.addAmbient(), s.addRevoked())
	var err error
	if len(cfg.JWT) > 0 {
		s.jwt, err = newJWT(cfg.JWT, s.roles, before.jwtSource(), o)
		errs = append(errs, err)
	}
	if cfg.Callback != nil {
		s.callback, err = s.newCallback(before)
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

func (s *state) jwtSource() *jwtSource {
	if s == nil {
		return nil
	}
	return s.jwt
}

// newCallback returns the callback, which takes over the requests in flight of the previous one.
func (s *state) newCallback(before *state) (*callback, error) {
	c, err := newCallback(s.cfg.Callback, s.roles, s.options)
	if err == nil && before != nil && before.callback != nil {
		c.adopt(before.callback)
	}
	return c, err
}

// checkRole reports why a role cannot be used at a place of the configuration.
func (s *state) checkRole(path, role string) error {
	if _, ok := s.roles[role]; ok {
		return nil
	}
	if len(s.roles) == 0 {
		return pathErrorf(path, "there is no role %q; write it under roles", role)
	}
	return pathErrorf(path, "there is no role %q; write one of %s, or add it to roles", role, series(slices.Sorted(maps.Keys(s.roles))))
}

// addAnonymous makes the principal that all clients without a credential share.
func (s *state) addAnonymous() error {
	role := s.cfg.Anonymous
	if role == "" {
		return nil
	}
	if err := s.checkRole("anonymous", role); err != nil {
		return err
	}
	if s.roles[role].Named() {
		return pathErrorf("anonymous", "the role %q has %s, but a client without a credential has no name", role, nameMark)
	}
	s.anonymous = s.principal(Principal{Source: SourceAnonymous, Role: role, resolve: func(later *state, p *Principal) *Refusal {
		if p.Role = later.cfg.Anonymous; p.Role == "" {
			return missing()
		}
		return nil
	}}).Principal
	return nil
}

// principal returns a principal with a role. It fails if the principal's name cannot stand in the
// role's grants.
func (s *state) principal(p Principal) Verdict {
	g, ok := s.roles[p.Role]
	if !ok {
		return refuse(403, "no_role", fmt.Sprintf("the role %s does not exist here any more; ask the operator for another one", p.Role))
	}
	var err error
	if p.Grants, err = s.named.of(p.Role, g, p.Name); err != nil {
		return refuse(403, "no_role", err.Error())
	}
	return Verdict{Principal: &p}
}

// current returns the principal that a principal of an earlier state is now.
func (s *state) current(p *Principal) (*Principal, *Refusal) {
	now := *p
	switch {
	case p.Source == SourceJWT && p.resolve == nil:
		if s.jwt == nil {
			return nil, removed()
		}
		return s.jwt.current(p)
	case p.renewal != nil:
		if s.callback == nil {
			return nil, removed()
		}
		return s.callback.current(p)
	case p.resolve != nil:
		if refusal := p.resolve(s, &now); refusal != nil {
			return nil, refusal
		}
	}
	if now.Role == "" { // its grants came with the credential
		return p, nil
	}
	v := s.principal(now)
	if v.Refusal != nil {
		return nil, v.Refusal
	}
	if v.Principal.Equal(p) {
		return p, nil
	}
	return v.Principal, nil
}

// removed refuses a principal whose credential is not in the configuration any more.
func removed() *Refusal {
	return &Refusal{Status: 401, Code: "revoked", Reason: "your credential is no longer valid here; ask the operator for a new one"}
}

// ended reports why a principal may be here no longer.
func (s *state) ended(p *Principal, now time.Time) *Refusal {
	if !p.Expires.IsZero() && now.After(p.Expires) {
		return &Refusal{Status: 401, Code: "expired", Reason: "your credential has expired; get a new one"}
	}
	if slices.ContainsFunc(s.revoked, func(r revocation) bool { return r.covers(p) }) {
		return &Refusal{Status: 401, Code: "revoked", Reason: "your credential was revoked; ask the operator for a new one"}
	}
	return nil
}
