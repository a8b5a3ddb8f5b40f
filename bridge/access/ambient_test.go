package access

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// proxied is a client whose proxy at 127.0.0.1 sends header fields.
func proxied(fields ...string) *Approach {
	ap := approach("", fields...)
	ap.Peer = netip.MustParseAddrPort("127.0.0.1:40000")
	return ap
}

func proxyConfig() *ProxyConfig {
	return &ProxyConfig{From: []string{"127.0.0.1/32"}, User: "X-Remote-User", Groups: "X-Remote-Groups",
		Roles: Assignments{{"user:root", "engineer"}, {"group:night", "observer"}, {"group:day", "viewer"}}}
}

func TestATrustedProxyNamesTheUserAndItsGroups(t *testing.T) {
	a := newAuthority(t, Config{Proxy: proxyConfig()})
	for fields, want := range map[string]string{
		"X-Remote-User: root":                                                   "root engineer",
		"X-Remote-User: root\nX-Remote-Groups: day":                             "root engineer",
		"X-Remote-User: ana\nX-Remote-Groups: day, night":                       "ana observer", // the first assignment that fits
		"X-Remote-User: ana\nX-Remote-Groups: day,x,,night":                     "ana observer",
		"X-Remote-User: " + strings.Repeat("x", 255) + "\nX-Remote-Groups: day": strings.Repeat("x", 255) + " viewer",
		"X-Remote-User:  Ana B. \nX-Remote-Groups: day":                         "Ana B. viewer",
	} {
		p := enters(t, a, proxied(strings.Split(fields, "\n")...))
		if p.Name+" "+p.Role != want || p.Source != "proxy" || !p.IssuedAt.Equal(testNow) {
			t.Errorf("%q: it is %+v, want %s", fields, p, want)
		}
	}
	for fields, status := range map[string]int{
		"X-Remote-User: ana":                                               403,
		"X-Remote-User: night\nX-Remote-Groups: root":                      403,
		"X-Remote-User: ana\nX-Remote-Groups: nights":                      403,
		"X-Remote-User: ana\nX-Remote-Groups: night\nX-Remote-Groups: day": 400,
		"X-Remote-User: root\nX-Remote-User: root":                         400,
		"X-Remote-User: a\x00b":                                            400,
		"X-Remote-User: \xff":                                              400,
		"X-Remote-User: " + strings.Repeat("x", 256):                       400,
		"X-Remote-Groups: night":                                           401, // nobody is signed in
		"X-Remote-User: ":                                                  401,
	} {
		if v := decide(t, a, proxied(strings.Split(fields, "\n")...)); v.Refusal == nil || v.Refusal.Status != status {
			t.Errorf("%q: %+v, %v, want %d", fields, v.Principal, v.Refusal, status)
		}
	}
}

func TestTheUserOfAnUntrustedPeerIsIgnored(t *testing.T) {
	a := newAuthority(t, Config{Anonymous: "viewer", Proxy: proxyConfig()})
	ap := approach("", "X-Remote-User: root")
	if p := enters(t, a, ap); p.Name != "" || p.Role != "viewer" {
		t.Errorf("anybody may say to be root: %+v", p)
	}
	// Remote is what a proxy says; only the peer of the connection decides.
	ap.Remote = netip.MustParseAddrPort("127.0.0.1:1")
	if p := enters(t, a, ap); p.Name != "" {
		t.Errorf("an address that a proxy forwards is trusted: %+v", p)
	}
	ap.Peer = netip.AddrPort{}
	if p := enters(t, a, ap); p.Name != "" {
		t.Errorf("a Unix socket is trusted: %+v", p)
	}
}

func TestAProxyNamesTheClientsAddressIfTheConfigurationSaysHow(t *testing.T) {
	cfg := Config{Proxy: &ProxyConfig{From: []string{"127.0.0.1", "unix"}, Address: "x-forwarded-for"}}
	if got, addresses := newAuthority(t, cfg).Proxies(); strings.Join(got, " ") != "127.0.0.1 unix" || !addresses {
		t.Errorf("the trusted proxies are %q", got)
	}
	if _, addresses := newAuthority(t, Config{Proxy: proxyConfig()}).Proxies(); addresses {
		t.Error("addresses are trusted without a header for them")
	}
}

// nginx passes on the password that it has checked itself, unless it is told not to.
func TestAPasswordThatAProxyPassesOnIsExplained(t *testing.T) {
	a := newAuthority(t, Config{Proxy: proxyConfig()})
	v := decide(t, a, proxied("X-Remote-User: root", "Authorization: Basic cm9vdDpwYXNzd29yZA=="))
	refused(t, v, 401, "invalid")
	if !strings.Contains(v.Refusal.Reason, "configure the proxy") {
		t.Errorf("the reason is %s", v.Refusal.Reason)
	}
	if v := decide(t, a, approach("", "X-Remote-User: root", "Authorization: Basic cm9vdDpwYXNzd29yZA==")); strings.Contains(v.Refusal.Reason, "proxy") {
		t.Errorf("without a proxy, the reason is %s", v.Refusal.Reason)
	}
}

func TestWithoutAssignmentsAGroupIsARole(t *testing.T) {
	a := newAuthority(t, Config{Proxy: &ProxyConfig{From: []string{"127.0.0.1"}, User: "X-Remote-User", Groups: "X-Remote-Groups"}})
	if p := enters(t, a, proxied("X-Remote-User: ana", "X-Remote-Groups: staff,observer,engineer")); p.Role != "observer" {
		t.Errorf("it is %+v", p)
	}
	refused(t, decide(t, a, proxied("X-Remote-User: observer", "X-Remote-Groups: staff")), 403, "no_role")
}

// withCertificate is a client with a verified certificate.
func withCertificate(subject pkix.Name, fields ...string) *Approach {
	leaf := &x509.Certificate{Raw: []byte(subject.String()), Subject: subject, NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.Add(time.Hour)}
	ap := approach("", fields...)
	ap.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}}
	return ap
}

func TestACertificateIsKnownByItsSubject(t *testing.T) {
	a := newAuthority(t, Config{Anonymous: "viewer", ClientsCA: "ca.pem", Certificates: map[string]string{
		"CN=archiver": "observer", "CN=archiver,O=lab": "engineer", "O=lab": "viewer",
	}})
	for want, subject := range map[string]pkix.Name{
		"archiver observer": {CommonName: "archiver", Organization: []string{"other"}},
		"archiver engineer": {CommonName: "archiver", Organization: []string{"lab"}},
		"O=lab viewer":      {Organization: []string{"lab"}},
	} {
		p := enters(t, a, withCertificate(subject))
		if p.Name+" "+p.Role != want || p.Source != "certificate" || !p.Expires.Equal(testNow.Add(time.Hour)) || !p.IssuedAt.Equal(testNow.Add(-time.Hour)) {
			t.Errorf("it is %+v, want %s", p, want)
		}
	}
	refused(t, decide(t, a, withCertificate(pkix.Name{CommonName: "stranger"})), 403, "no_role")
	refused(t, decide(t, a, withCertificate(pkix.Name{})), 403, "no_role")
	unverified := withCertificate(pkix.Name{CommonName: "archiver"})
	unverified.TLS.VerifiedChains = nil
	refused(t, decide(t, a, unverified), 401, "invalid")
	late := withCertificate(pkix.Name{CommonName: "archiver"})
	late.TLS.PeerCertificates[0].NotAfter = testNow.Add(-time.Second)
	refused(t, decide(t, a, late), 401, "expired")
	none := approach("")
	none.TLS = &tls.ConnectionState{}
	if p := enters(t, a, none); p.Source != "anonymous" {
		t.Errorf("without a certificate it is %+v", p)
	}
}

// fakeAccounts are accounts by uid.
type fakeAccounts map[int]string // name, then groups

func (f fakeAccounts) lookup(uid, gid int) (string, []string, error) {
	if uid == overflowID {
		return "", nil, errUnmapped
	}
	text, ok := f[uid]
	if !ok {
		return "", nil, errors.New("LDAP is away")
	}
	name, groups, _ := strings.Cut(text, " ")
	if gid == 50 {
		groups += " staff"
	}
	return name, strings.Fields(groups), nil
}

func TestAUnixPeerIsKnownByItsUserAndAllItsGroups(t *testing.T) {
	a := newAuthority(t, Config{Unix: Assignments{{"user:obs", "observer"}, {"group:staff", "engineer"}, {"user:1234", "viewer"}}})
	a.accounts = fakeAccounts{1: "obs staff", 2: "ana users staff", 3: "eve users", 1234: ""}
	peer := func(uid, gid int) *Approach {
		ap := approach("")
		ap.Remote, ap.Peer, ap.Unix = netip.AddrPort{}, netip.AddrPort{}, &UnixPeer{PID: 7, UID: uid, GID: gid}
		return ap
	}
	for want, ap := range map[string]*Approach{
		"obs observer": peer(1, 1), "ana engineer": peer(2, 2), "eve engineer": peer(3, 50), "1234 viewer": peer(1234, 0),
	} {
		p := enters(t, a, ap)
		if p.Name+" "+p.Role != want || p.Source != "unix" {
			t.Errorf("it is %+v, want %s", p, want)
		}
	}
	refused(t, decide(t, a, peer(3, 3)), 401, "missing")
	refused(t, decide(t, a, peer(4, 4)), 503, "unavailable")
	refused(t, decide(t, a, peer(overflowID, 50)), 401, "missing")
	a.options.Now = func() time.Time { return testNow }
	if err := a.Reload(withRoles(Config{Anonymous: "viewer", Unix: Assignments{{"user:obs", "observer"}}})); err != nil {
		t.Fatal(err)
	}
	if p := enters(t, a, peer(3, 3)); p.Source != "anonymous" || p.Role != "viewer" {
		t.Errorf("a user without a role is %+v", p)
	}
}

func TestAShownCredentialWinsOverTheConnection(t *testing.T) {
	token, hash := NewToken()
	a := newAuthority(t, Config{Proxy: proxyConfig(), ClientsCA: "ca.pem", Certificates: map[string]string{"CN=nginx": "engineer"},
		Unix: Assignments{{"user:www-data", "viewer"}}, Tokens: []TokenConfig{{Name: "tokens", Hash: hash, Role: "observer"}}})
	a.accounts = fakeAccounts{33: "www-data"}
	all := withCertificate(pkix.Name{CommonName: "nginx"}, "X-Remote-User: root", "Authorization: Bearer "+token)
	all.Peer = netip.MustParseAddrPort("127.0.0.1:1")
	all.Remote = all.Peer
	if p := enters(t, a, all); p.Source != "token" {
		t.Errorf("with everything it is %+v", p)
	}
	bad := *all
	bad.Headers = approach("", "X-Remote-User: root", "Authorization: Bearer wrong").Headers
	refused(t, decide(t, a, &bad), 401, "invalid")
	all.Headers = approach("", "X-Remote-User: root").Headers
	if p := enters(t, a, all); p.Source != "proxy" || p.Name != "root" {
		t.Errorf("without a token it is %+v", p)
	}
	all.Headers = approach("").Headers
	if p := enters(t, a, all); p.Source != "certificate" {
		t.Errorf("without a user it is %+v", p)
	}
	all.TLS, all.Unix, all.Peer, all.Remote = nil, &UnixPeer{UID: 33}, netip.AddrPort{}, netip.AddrPort{}
	if p := enters(t, a, all); p.Source != "unix" {
		t.Errorf("without a certificate it is %+v", p)
	}
}
