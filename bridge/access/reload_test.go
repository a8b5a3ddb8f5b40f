package access

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// reload replaces the configuration.
func reload(t *testing.T, a *Authority, cfg Config) {
	t.Helper()
	if err := a.Reload(withRoles(cfg)); err != nil {
		t.Fatal(err)
	}
}

// changedRoles are the roles of tests with one that is different.
func changedRoles(name, grants string) map[string]json.RawMessage {
	roles := maps.Clone(testRoles)
	roles[name] = json.RawMessage(grants)
	return roles
}

func TestAReloadThatChangesNothingLeavesPrincipalsAsTheyAre(t *testing.T) {
	token, hash := NewToken()
	cfg := Config{Anonymous: "viewer", Proxy: proxyConfig(), Tokens: []TokenConfig{{Name: "a", Hash: hash, Role: "own"}}}
	a := newAuthority(t, cfg)
	all := []*Principal{
		enters(t, a, approach("")),
		enters(t, a, approach("", "Authorization: Bearer "+token)),
		enters(t, a, proxied("X-Remote-User: root")),
	}
	other := cfg
	other.Roles = changedRoles("observer", `{}`)
	reload(t, a, other)
	for _, p := range all {
		if now, refusal := a.Current(p); now != p || refusal != nil {
			t.Errorf("%+v has become %+v, %v", p, now, refusal)
		}
	}
	if a.Reload(Config{Anonymous: "nobody"}) == nil {
		t.Fatal("an unusable configuration is taken")
	}
	if p := enters(t, a, approach("")); p.Role != "viewer" {
		t.Errorf("after an unusable configuration a client is %+v", p)
	}
}

func TestAReloadChangesWhatAPrincipalMayDo(t *testing.T) {
	token, hash := NewToken()
	tokens := func(role, expires string) Config {
		return Config{Anonymous: "viewer", Tokens: []TokenConfig{{Name: "a", Hash: hash, Role: role, Expires: expires}}}
	}
	a := newAuthority(t, tokens("viewer", ""))
	p := enters(t, a, approach("", "Authorization: Bearer "+token))
	reload(t, a, tokens("observer", "2027-01-01"))
	now, refusal := a.Current(p)
	if refusal != nil || now.Role != "observer" || now.Name != "a" || now.Expires.Year() != 2027 || !now.Decide(Request{Consumer: "dome", CommandString: "open"}).Allowed {
		t.Fatalf("it is %+v, %v", now, refusal)
	}
	if p.Role != "viewer" {
		t.Error("the earlier principal has changed")
	}
	cfg := tokens("observer", "2027-01-01")
	cfg.Roles = changedRoles("observer", `{}`)
	reload(t, a, cfg)
	if again, refusal := a.Current(now); refusal != nil || again.Grants.Key() != "{}" {
		t.Errorf("after its role has changed it is %+v, %v", again, refusal)
	}
}

// An open connection outlived its credential in systems that looked at it only once.
func TestAReloadEndsCredentialsThatAreGone(t *testing.T) {
	token, hash := NewToken()
	one := TokenConfig{Name: "a", Hash: hash, Role: "viewer"}
	a := newAuthority(t, Config{Anonymous: "viewer", Proxy: proxyConfig(), Tokens: []TokenConfig{one}})
	anonymous, program, user := enters(t, a, approach("")), enters(t, a, approach("", "Authorization: Bearer "+token)), enters(t, a, proxied("X-Remote-User: root"))
	renamed, expired, moved := one, one, one
	renamed.Name, expired.Expires, moved.From = "b", "2026-11-28", []string{"10.0.0.0/8"}
	for name, c := range map[string]struct {
		p    *Principal
		cfg  Config
		code string
	}{
		"no anonymous":   {anonymous, Config{}, "missing"},
		"no token":       {program, Config{Anonymous: "viewer"}, "revoked"},
		"another name":   {program, Config{Tokens: []TokenConfig{renamed}}, "revoked"},
		"expired":        {program, Config{Tokens: []TokenConfig{expired}}, "expired"},
		"other networks": {program, Config{Tokens: []TokenConfig{moved}}, "address"},
		"revoked name":   {program, Config{Tokens: []TokenConfig{one}, Revoked: []Revocation{{Name: "a"}}}, "revoked"},
		"revoked id":     {program, Config{Tokens: []TokenConfig{one}, Revoked: []Revocation{{ID: program.CredentialID}}}, "revoked"},
		"no proxy":       {user, Config{}, "revoked"},
		"no role":        {user, Config{Proxy: &ProxyConfig{From: []string{"127.0.0.1"}, User: "X-Remote-User"}}, "no_role"},
	} {
		reload(t, a, c.cfg)
		if now, refusal := a.Current(c.p); now != nil || refusal == nil || refusal.Code != c.code {
			t.Errorf("%s: it is %+v, %+v, want %s", name, now, refusal, c.code)
		}
	}
}

func TestRevocationsCoverWhatTheyName(t *testing.T) {
	at := func(offset time.Duration) time.Time { return testNow.Add(offset) }
	before := "2026-11-28T12:00:00Z"
	for _, c := range []struct {
		r    Revocation
		p    Principal
		want bool
	}{
		{Revocation{Name: "ana"}, Principal{Name: "ana", Source: "jwt"}, true},
		{Revocation{Name: "ana"}, Principal{Name: "Ana", Source: "jwt"}, false},
		{Revocation{ID: "1"}, Principal{Name: "ana", Source: "jwt", CredentialID: "1"}, true},
		{Revocation{ID: "1"}, Principal{Name: "ana", Source: "jwt"}, false},
		{Revocation{Name: "ana", ID: "1"}, Principal{Name: "ana", Source: "jwt", CredentialID: "2"}, false},
		{Revocation{Name: "ana", IssuedBefore: before}, Principal{Name: "ana", Source: "jwt", IssuedAt: at(-1)}, true},
		{Revocation{Name: "ana", IssuedBefore: before}, Principal{Name: "ana", Source: "jwt", IssuedAt: at(0)}, false},
		{Revocation{Name: "ana", IssuedBefore: before}, Principal{Name: "ana", Source: "jwt"}, true}, // it does not say when
		{Revocation{IssuedBefore: before}, Principal{Name: "ana", Source: "certificate", IssuedAt: at(-1)}, true},
		{Revocation{IssuedBefore: before}, Principal{Source: "anonymous"}, false},
	} {
		s := &state{cfg: Config{Revoked: []Revocation{c.r}}}
		if err := s.addRevoked(); err != nil {
			t.Fatal(err)
		}
		if got := s.ended(&c.p, testNow) != nil; got != c.want {
			t.Errorf("%+v covers %+v: %t", c.r, c.p, got)
		}
	}
}

// A decision that began before a reload must not bring back what the reload took away.
func TestAReloadHoldsForThoseWhoAreBeingIdentified(t *testing.T) {
	a := newAuthority(t, Config{Unix: Assignments{{"user:obs", "engineer"}}})
	a.accounts = fakeAccounts{1: "obs"}
	ap := &Approach{Path: "/", Unix: &UnixPeer{UID: 1}}
	v := a.Identify(ap)
	reload(t, a, Config{Unix: Assignments{{"user:obs", "viewer"}}})
	if p := v.Later(t.Context()).Principal; p == nil || p.Role != "viewer" {
		t.Errorf("it enters as %+v", p)
	}
	v = a.Identify(ap)
	reload(t, a, Config{Unix: Assignments{{"user:obs", "viewer"}}, Revoked: []Revocation{{Name: "obs", IssuedBefore: "2027-01-01"}}})
	refused(t, v.Later(t.Context()), 401, "revoked")
}

func TestANameThatCannotStandInTheGrantsOfItsRoleIsRefused(t *testing.T) {
	cfg := proxyConfig()
	cfg.Role = "own"
	a := newAuthority(t, Config{Proxy: cfg})
	p := enters(t, a, proxied("X-Remote-User: ana"))
	if !p.Decide(Request{Door: EnterRoom, Room: "/users/ana/x"}).Allowed || p.Decide(Request{Door: EnterRoom, Room: "/users/eve"}).Allowed {
		t.Errorf("its grants are %s", p.Grants.JSON())
	}
	if again := enters(t, a, proxied("X-Remote-User: ana")); again.Grants != p.Grants {
		t.Error("the grants of the same name are compiled twice")
	}
	refused(t, decide(t, a, proxied("X-Remote-User: *")), 403, "no_role")
}

func TestTheGrantsOfManyNamesAreBounded(t *testing.T) {
	var n namedGrants
	g := parse(t, `{"rooms": ["/${name}"]}`)
	first, err := n.of("r", g, "first")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 * maxNamed {
		if _, err := n.of("r", g, strings.Repeat("x", 1+i%100)+time.Duration(i).String()); err != nil {
			t.Fatal(err)
		}
		if i%maxNamed == 0 {
			if again, _ := n.of("r", g, "first"); again != first {
				t.Fatal("grants that are in use are compiled again")
			}
		}
	}
	if len(n.now) > maxNamed || len(n.old) > maxNamed {
		t.Errorf("%d and %d are kept", len(n.now), len(n.old))
	}
}

func TestRunEndsWithItsContextAndFollowsReloads(t *testing.T) {
	a := newAuthority(t, Config{Anonymous: "viewer"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for range 10 {
		reload(t, a, Config{Anonymous: "viewer"})
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Clients connect on many loops while the configuration is replaced: each is decided by one
// configuration as a whole.
func TestEachClientIsDecidedByOneConfiguration(t *testing.T) {
	token, hash := NewToken()
	cfg := func(name, role string) Config {
		return withRoles(Config{Tokens: []TokenConfig{{Name: name, Hash: hash, Role: role}}})
	}
	configs := []Config{cfg("a", "viewer"), cfg("b", "own")}
	a := newAuthority(t, configs[0])
	var loops sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		loops.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				p := a.Identify(approach("", "Authorization: Bearer "+token)).Principal
				if p == nil || p.Name+p.Role != "aviewer" && p.Name+p.Role != "bown" || (p.Role == "own") != (p.Grants.Key() == `{"rooms":["/users/b/**"]}`) {
					t.Errorf("it is %+v", p)
					return
				}
				a.Current(p)
			}
		})
	}
	for i := range 50 {
		if err := a.Reload(configs[i%2]); err != nil {
			t.Error(err)
		}
	}
	close(done)
	loops.Wait()
}
