package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// jwtLeeway is how far the clocks of an issuer and of this machine may differ.
	jwtLeeway = 30 * time.Second
	// jwtMaxLength bounds the work that a token causes before it is verified.
	jwtMaxLength = 16 << 10
	// verifyingMax is how many tokens may wait to be verified.
	verifyingMax = 4096
)

// jwtSource verifies JSON Web Tokens (RFC 7519) of the configured issuers.
type jwtSource struct {
	issuers   map[string][]*issuer // by name; several differ in their audience
	roles     map[string]*Grants
	named     namedGrants
	now       func() time.Time
	verifying *slots
}

// issuer is one entry of the configuration.
type issuer struct {
	name, audience string
	algorithms     []string
	secret         []byte  // for HS256
	keys           *keySet // for the others; nil if there are none
	claim          string  // that has the name
	rules          []claimRule
	role           string // if no rule fits
	parser         *jwt.Parser
	validator      *jwt.Validator
}

// verifiers returns the slots of an earlier source, or new ones: half of the processors, so
// that the loops go on while many clients come at the same time.
func verifiers(old *jwtSource) *slots {
	if old != nil {
		return old.verifying
	}
	return newSlots(max(1, runtime.GOMAXPROCS(0)/2), verifyingMax)
}

// adopt takes over the keys of the issuers that an earlier source had, too, because an issuer
// that is down at a reload is no reason to forget them.
func (s *jwtSource) adopt(old *jwtSource) {
	if old == nil {
		return
	}
	for name, all := range s.issuers {
		for _, i := range all {
			for _, before := range old.issuers[name] {
				if i.keys != nil && before.keys != nil && i.keys.url.String() == before.keys.url.String() {
					i.keys = before.keys
				}
			}
		}
	}
}

// run keeps the keys of all issuers fresh until the context ends.
func (s *jwtSource) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	begun := map[*keySet]bool{nil: true}
	for _, all := range s.issuers {
		for _, i := range all {
			if !begun[i.keys] {
				begun[i.keys] = true
				running.Go(func() { i.keys.run(ctx) })
			}
		}
	}
}

// looksLikeJWT reports whether a token has the form of a JWT (RFC 7519, 3): three parts, of which
// the first is a JSON object in base64url. It costs little, for the engine's loops.
func looksLikeJWT(token string) bool {
	return len(token) <= jwtMaxLength && strings.HasPrefix(token, "e") && strings.Count(token, ".") == 2
}

// verify says who the bearer of a token is. ours is false if it is no JWT of a configured issuer,
// as the verdict says. It blocks: it takes a slot, and may wait for keys.
func (s *jwtSource) verify(ctx context.Context, token string) (v Verdict, ours bool) {
	// Before anything is read: the loops would wait behind hundreds of goroutines that compute.
	if err := s.verifying.take(ctx); err != nil {
		return unavailable("too many clients connect at once; try again soon", 0), true
	}
	defer s.verifying.give()
	parsed, err := unverified(token)
	if err != nil {
		return refuse(401, "malformed", "the token is not a JSON Web Token that this bridge can read; get a new one"), false
	}
	all := s.issuers[issuerOf(parsed)]
	if len(all) == 0 {
		return refuse(401, "issuer", "the token comes from an issuer that this bridge does not trust; get one from an issuer that it does"), false
	}
	for _, i := range all {
		if v = s.verifyBy(ctx, i, token, parsed); v.Refusal == nil || v.Refusal.Code != "audience" {
			break
		}
	}
	return v, true
}

// verifyBy verifies a token of one issuer. What needs no key comes first, so that an invalid one causes
// neither work nor requests. Which key is asked for depends on the configuration and on the id
// of the key; nothing else in the token leads anywhere.
func (s *jwtSource) verifyBy(ctx context.Context, i *issuer, token string, parsed *jwt.Token) Verdict {
	if refusal := i.check(parsed); refusal != nil {
		return Verdict{Refusal: refusal}
	}
	key, err := i.key(ctx, parsed, s.verifying)
	if err != nil {
		return keyRefusal(err)
	}
	verified, err := i.parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
	if err != nil {
		return Verdict{Refusal: i.refusal(err)}
	}
	return s.principal(i, verified, token)
}

// check checks what a token says of itself, before its signature is.
func (i *issuer) check(t *jwt.Token) *Refusal {
	if _, critical := t.Header["crit"]; critical { // RFC 7515, 4.1.11: no extension is understood
		return refuse(401, "malformed", `the token has a header "crit", of which this bridge understands nothing; have the issuer leave it out`).Refusal
	}
	if !slices.Contains(i.algorithms, t.Method.Alg()) {
		return refuse(401, "algorithm", "the token is signed with an algorithm that this bridge does not allow for its issuer; have it use one that is configured").Refusal
	}
	if err := i.validator.Validate(t.Claims); err != nil {
		return i.refusal(err)
	}
	return nil
}

// key returns the key for a token. Its kind follows from the configured algorithm: a public key
// is never a shared secret.
func (i *issuer) key(ctx context.Context, t *jwt.Token, w *slots) (any, error) {
	if t.Method.Alg() == "HS256" {
		return i.secret, nil
	}
	return i.keys.find(ctx, t, w)
}

// principal returns the principal of a verified token.
func (s *jwtSource) principal(i *issuer, t *jwt.Token, token string) Verdict {
	claims := t.Claims.(jwt.MapClaims)
	name, _ := claims[i.claim].(string)
	if !isName(name) {
		return refuse(401, "name", "the token has no usable name: its claim "+i.claim+" is missing, is not a text, is longer than 255 bytes or has a control character")
	}
	role, grants, refusal := s.grants(i, claims, name)
	if refusal != nil {
		return Verdict{Refusal: refusal}
	}
	expires, _ := claims.GetExpirationTime() // is there: the parser requires it
	p := &Principal{
		Name: name, Source: SourceJWT, Role: role, Grants: grants, Expires: expires.Add(jwtLeeway),
		CredentialID: credentialID(claims, token), claims: payload(token), signed: i.signedWith(t.Method.Alg()),
	}
	if issued, err := claims.GetIssuedAt(); err == nil && issued != nil {
		p.IssuedAt = issued.Time
	}
	return Verdict{Principal: p}
}

// grants returns what the claims allow: those of the claim "clu", or of the first role that fits.
func (s *jwtSource) grants(i *issuer, claims jwt.MapClaims, name string) (role string, g *Grants, refused *Refusal) {
	if own, ok := claims["clu"]; ok {
		raw, err := json.Marshal(own)
		if err == nil {
			g, err = carried.parse(raw)
		}
		if err != nil {
			return "", nil, refuse(403, "grants", "the grants in the token's claim clu cannot be used: "+err.Error()).Refusal
		}
	} else {
		for _, rule := range i.rules {
			if rule.fits(claims) {
				role = rule.role
				break
			}
		}
		if role == "" {
			role = i.role
		}
		if g = s.roles[role]; g == nil {
			return "", nil, refuse(403, "no_role", "the token is good, but nothing in it gives a role on this bridge; ask its operator for one").Refusal
		}
	}
	g, err := s.named.of(role, g, name)
	if err != nil {
		return "", nil, refuse(403, "no_role", err.Error()).Refusal
	}
	return role, g, nil
}

// current returns the principal of a token that was verified with an earlier configuration: its
// role may be another, or its issuer gone.
func (s *jwtSource) current(p *Principal) (*Principal, *Refusal) {
	var claims jwt.MapClaims
	numbers := json.NewDecoder(bytes.NewReader(p.claims)) // as the parser reads them: a role may depend on one
	numbers.UseNumber()
	if err := numbers.Decode(&claims); err != nil {
		return nil, refuse(401, "malformed", "the token cannot be read again; get a new one").Refusal
	}
	name, _ := claims.GetIssuer()
	audience, _ := claims.GetAudience()
	for _, i := range s.issuers[name] {
		for _, one := range audience {
			if one != i.audience {
				continue
			}
			if !i.takes(p.signed) {
				return nil, removed()
			}
			role, grants, refusal := s.grants(i, claims, p.Name)
			if refusal != nil {
				return nil, refusal
			}
			next := *p
			next.Role, next.Grants = role, grants
			if next.Equal(p) {
				return p, nil
			}
			return &next, nil
		}
	}
	return nil, refuse(401, "issuer", "the issuer of the token is trusted no longer; get a token from one that is").Refusal
}

// tokenSignature is what has signed a token: an algorithm, and for HS256 the hash of the secret.
type tokenSignature struct {
	algorithm string
	secret    [sha256.Size]byte
}

func (i *issuer) signedWith(algorithm string) tokenSignature {
	s := tokenSignature{algorithm: algorithm}
	if algorithm == "HS256" {
		s.secret = sha256.Sum256(i.secret)
	}
	return s
}

// takes reports whether tokens that were signed so are still taken. A secret is replaced because
// others know it; the public keys of an issuer are replaced regularly, which ends no session.
func (i *issuer) takes(s tokenSignature) bool {
	return slices.Contains(i.algorithms, s.algorithm) && i.signedWith(s.algorithm) == s
}

// unverified reads a token without verifying anything of it.
func unverified(token string) (*jwt.Token, error) {
	if len(token) > jwtMaxLength || strings.Count(token, ".") != 2 {
		return nil, jwt.ErrTokenMalformed
	}
	parsed, _, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithStrictDecoding()).ParseUnverified(token, jwt.MapClaims{})
	if err == nil && parsed.Method == nil {
		err = errors.New("it names no algorithm")
	}
	return parsed, err
}

func issuerOf(t *jwt.Token) string {
	name, _ := t.Claims.GetIssuer()
	return name
}

// credentialID returns the id that the issuer gave to a token, or the first digits of its hash.
func credentialID(claims jwt.MapClaims, token string) string {
	if id, ok := claims["jti"].(string); ok && isName(id) {
		return id
	}
	hash := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(hash[:8])
}

// payload returns the claims of a verified token as JSON.
func payload(token string) []byte {
	part := strings.SplitN(token, ".", 3)[1]
	text, _ := base64.RawURLEncoding.DecodeString(part) // was decoded when it was verified
	return text
}
