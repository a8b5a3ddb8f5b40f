package access

import (
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/forwarded"
)

// addAmbient checks and compiles what identifies clients without a credential of their own: proxies,
// certificates and Unix peers.
func (s *state) addAmbient() error {
	errs := []error{s.checkAssignments("unix", s.cfg.Unix), s.addProxy()}
	if s.cfg.Cookie != "" && (&http.Cookie{Name: s.cfg.Cookie}).Valid() != nil {
		errs = append(errs, pathErrorf("cookie", "%.40q is not the name of a cookie", s.cfg.Cookie))
	}
	for _, subject := range slices.Sorted(maps.Keys(s.cfg.Certificates)) {
		errs = append(errs, s.checkRole("certificates."+subject, s.cfg.Certificates[subject]))
		if !strings.Contains(subject, "=") {
			errs = append(errs, pathErrorf("certificates."+subject, "this is not a subject; write CN=NAME, or the whole one as openssl -nameopt RFC2253 prints it"))
		}
	}
	if len(s.cfg.Certificates) > 0 && s.cfg.ClientsCA == "" {
		errs = append(errs, pathErrorf("certificates", "without clients-ca no client shows a certificate; name the file of the authority that signs them"))
	}
	return errors.Join(errs...)
}

// checkAssignments checks roles by user:NAME and group:NAME.
func (s *state) checkAssignments(path string, all Assignments) error {
	var errs []error
	for _, a := range all {
		kind, name, ok := strings.Cut(a.Match, ":")
		if !ok || name == "" || kind != "user" && kind != "group" {
			errs = append(errs, pathErrorf(path+"."+a.Match, "write user:NAME or group:NAME"))
		}
		errs = append(errs, s.checkRole(path+"."+a.Match, a.Role))
	}
	return errors.Join(errs...)
}

// roleOf returns the role of a user, who may have several names, and is in some groups. The first
// assignment that fits counts; "" is none.
func (all Assignments) roleOf(users, groups []string) string {
	for _, a := range all {
		if user, ok := strings.CutPrefix(a.Match, "user:"); ok && slices.Contains(users, user) {
			return a.Role
		}
		if group, ok := strings.CutPrefix(a.Match, "group:"); ok && slices.Contains(groups, group) {
			return a.Role
		}
	}
	return ""
}

func (s *state) addProxy() (err error) {
	cfg := s.cfg.Proxy
	if cfg == nil {
		return nil
	}
	errs := []error{s.checkAssignments("proxy.roles", cfg.Roles)}
	if cfg.Role != "" {
		errs = append(errs, s.checkRole("proxy.role", cfg.Role))
	}
	if len(cfg.From) == 0 {
		errs = append(errs, pathErrorf("proxy.from", "the addresses of the proxies are missing; only their headers are trusted, as in [127.0.0.1/32]"))
	}
	for i, network := range cfg.From {
		if _, err := forwarded.Parse([]string{network}); err != nil {
			errs = append(errs, pathErrorf(fmt.Sprintf("proxy.from[%d]", i), "%w", err))
		}
	}
	if s.proxies, err = forwarded.Parse(cfg.From); err != nil {
		s.proxies = nil
	}
	if cfg.User == "" && (cfg.Groups != "" || cfg.Role != "" || len(cfg.Roles) > 0) || cfg.User == "" && cfg.Address == "" {
		errs = append(errs, pathErrorf("proxy.user", "the header with the user's name is missing, such as X-Remote-User"))
	}
	for _, f := range [][2]string{{"user", cfg.User}, {"groups", cfg.Groups}} {
		if strings.ContainsFunc(f[1], func(r rune) bool {
			return r != '-' && r != '_' && (r > 0x7e || !unicode.IsLetter(r) && !unicode.IsDigit(r))
		}) {
			errs = append(errs, pathErrorf("proxy."+f[0], "%.40q is not the name of a header", f[1]))
		}
	}
	if field := http.CanonicalHeaderKey(cfg.Address); field != "" && field != "X-Forwarded-For" && field != "Forwarded" {
		errs = append(errs, pathErrorf("proxy.address", "%.40q does not list the proxies on the way of a request; write X-Forwarded-For or Forwarded", cfg.Address))
	}
	return errors.Join(errs...)
}

// Proxies returns the networks of the proxies whose headers are trusted. addresses reports whether
// the client's address is among these.
func (a *Authority) Proxies() (networks []string, addresses bool) {
	cfg := a.state.Load().cfg.Proxy
	if cfg == nil {
		return nil, false
	}
	return cfg.From, cfg.Address != ""
}

// identifyProxied returns the principal that a trusted proxy names. ok is false if it names none.
func (s *state) identifyProxied(ap *Approach) (v Verdict, ok bool) {
	cfg := s.cfg.Proxy
	if cfg == nil || cfg.User == "" || !s.proxies.Trusts(ap.Peer.Addr()) {
		return v, false
	}
	users, lists := ap.fields(cfg.User), []string(nil)
	if cfg.Groups != "" {
		lists = ap.fields(cfg.Groups)
	}
	if len(users) == 0 || len(users) == 1 && strings.TrimSpace(users[0]) == "" {
		return v, false
	}
	// One of two lines may be the client's own, which a proxy that adds a line lets pass.
	for field, lines := range map[string][]string{cfg.User: users, cfg.Groups: lists} {
		if len(lines) > 1 {
			return refuse(400, "several", fmt.Sprintf("the header %s is there more than once; configure the proxy to replace what a client sends", http.CanonicalHeaderKey(field))), true
		}
	}
	name := strings.TrimSpace(users[0])
	if !isName(name) {
		return refuse(400, "invalid", fmt.Sprintf("the header %s is not a user's name: it has a control character, is not UTF-8, or is too long", http.CanonicalHeaderKey(cfg.User))), true
	}
	var groups []string
	for _, list := range lists {
		for group := range strings.SplitSeq(list, ",") {
			groups = append(groups, strings.TrimSpace(group))
		}
	}
	p := Principal{Name: name, Source: SourceProxy, IssuedAt: s.options.Now(), Role: s.proxyRole(name, groups)}
	if p.Role == "" {
		return refuse(403, "no_role", fmt.Sprintf("you are signed in as %s, but have no role here; ask the operator for one", name)), true
	}
	peer := ap.Peer.Addr()
	p.resolve = func(later *state, p *Principal) *Refusal {
		if later.cfg.Proxy == nil || !later.proxies.Trusts(peer) {
			return removed()
		}
		return p.setRole(later.proxyRole(name, groups))
	}
	return s.principal(p), true
}

// setRole sets the role, and reports that there is none.
func (p *Principal) setRole(role string) *Refusal {
	if p.Role = role; role == "" {
		return &Refusal{Status: 403, Code: "no_role", Reason: "you no longer have a role here; ask the operator for one"}
	}
	return nil
}

// proxyRole returns the role of a user of a proxy. If no roles are assigned, it is the first group
// that has the name of a role.
func (s *state) proxyRole(name string, groups []string) string {
	if role := s.cfg.Proxy.Roles.roleOf([]string{name}, groups); role != "" {
		return role
	}
	if len(s.cfg.Proxy.Roles) == 0 {
		for _, group := range groups {
			if s.roles[group] != nil {
				return group
			}
		}
	}
	return s.cfg.Proxy.Role
}

// isName reports whether a text can be a principal's name: it is printed in logs.
func isName(text string) bool {
	return text != "" && len(text) <= 255 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// identifyCertificate returns the principal of a client's certificate. ok is false if there is none.
func (s *state) identifyCertificate(ap *Approach) (v Verdict, ok bool) {
	if len(s.cfg.Certificates) == 0 || ap.TLS == nil || len(ap.TLS.PeerCertificates) == 0 {
		return v, false
	}
	if len(ap.TLS.VerifiedChains) == 0 || len(ap.TLS.VerifiedChains[0]) == 0 {
		return refuse(401, "invalid", "your certificate is not signed by an authority that this bridge knows"), true
	}
	leaf := ap.TLS.VerifiedChains[0][0]
	whole, common := leaf.Subject.String(), leaf.Subject.CommonName
	name := common
	if name == "" {
		name = whole
	}
	sum := sha256.Sum256(leaf.Raw)
	p := Principal{
		Name: name, Source: SourceCertificate, CredentialID: hex.EncodeToString(sum[:8]), Expires: leaf.NotAfter, IssuedAt: leaf.NotBefore,
		resolve: func(later *state, p *Principal) *Refusal { return p.setRole(later.certificateRole(whole, common)) },
	}
	if p.Role = s.certificateRole(whole, common); p.Role == "" || !isName(name) {
		return refuse(403, "no_role", fmt.Sprintf("the certificate of %.100q has no role here; ask the operator to add it to certificates", whole)), true
	}
	return s.principal(p), true
}

// certificateRole returns the role of a certificate by its whole subject, or else by its common
// name. That is escaped, or one with a comma would pass for the whole subject of another.
func (s *state) certificateRole(whole, common string) string {
	if role, ok := s.cfg.Certificates[whole]; ok || common == "" {
		return role
	}
	return s.cfg.Certificates[pkix.Name{CommonName: common}.String()]
}
