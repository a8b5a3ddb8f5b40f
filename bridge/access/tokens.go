package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/forwarded"
)

// tokenMark begins every token, so that people and scanners of repositories recognize one.
const tokenMark = "cluws_"

// hashMark begins the hash of a token in a configuration.
const hashMark = "sha256:"

// NewToken returns a token of 256 random bits, and the hash that stands for it in a configuration.
func NewToken() (token, hash string) {
	var bits [32]byte
	rand.Read(bits[:]) // it never fails: see crypto/rand
	token = tokenMark + base64.RawURLEncoding.EncodeToString(bits[:])
	return token, HashToken(token)
}

// HashToken returns the hash of a token, as it is written in a configuration. A token has enough random
// bits that no slower hash is needed.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hashMark + hex.EncodeToString(sum[:])
}

// token is a token of the configuration.
type token struct {
	hash    [sha256.Size]byte
	id      string // the first digits of the hash
	name    string
	role    string
	from    *forwarded.Proxies // the networks that may use it; nil is all
	expires time.Time          // zero is never
}

// addTokens compiles the tokens of the configuration.
func (s *state) addTokens() error {
	var errs []error
	s.tokens = make(map[[sha256.Size]byte]*token)
	s.byID = make(map[string]*token)
	for i, cfg := range s.cfg.Tokens {
		path := fmt.Sprintf("tokens[%d]", i)
		t, err := newToken(cfg)
		if err == nil {
			err = s.checkRoleOf("role", cfg.Role)
		}
		if err == nil && s.roles[t.role].Named() {
			if wrong := checkName(t.name); wrong != nil {
				err = pathErrorf("name", "the role %s contains the name: %w", t.role, wrong)
			}
		}
		if err == nil && s.byID[t.id] != nil {
			err = pathErrorf("hash", "another token has the same hash; make one for each program with clu-ws token NAME --role ROLE")
		}
		if err != nil {
			errs = append(errs, under(path, err))
			continue
		}
		s.tokens[t.hash], s.byID[t.id] = t, t
	}
	return errors.Join(errs...)
}

// checkRoleOf is checkRole for a key that must have a role.
func (s *state) checkRoleOf(path, role string) error {
	if role == "" {
		return pathErrorf(path, "a role is missing; write one of roles")
	}
	return s.checkRole(path, role)
}

func newToken(cfg TokenConfig) (t *token, err error) {
	t = &token{name: cfg.Name, role: cfg.Role}
	if cfg.Name == "" {
		return nil, pathErrorf("name", "a name is missing; the log and the actors get it with each command")
	}
	if !isName(cfg.Name) {
		return nil, pathErrorf("name", "the name has a control character, is not UTF-8, or is longer than 255 bytes")
	}
	digits, ok := strings.CutPrefix(cfg.Hash, hashMark)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != sha256.Size {
		// The hash is not quoted: the token itself may have been written here by mistake.
		return nil, pathErrorf("hash", "this is not the hash of a token; write sha256: and 64 hexadecimal digits, as clu-ws token NAME --role ROLE prints them")
	}
	t.hash = [sha256.Size]byte(sum)
	if t.hash == sha256.Sum256(nil) {
		return nil, pathErrorf("hash", "this is the hash of an empty text, which anybody can send; make a token with clu-ws token NAME --role ROLE")
	}
	t.id = tokenID(t.hash)
	if cfg.From != nil && len(cfg.From) == 0 {
		return nil, pathErrorf("from", "the list is empty, so that the token is of no use; name a network, or leave the list out for all")
	}
	for i, network := range cfg.From {
		if network == "unix" { // the peers of Unix sockets
			continue
		}
		if _, err := forwarded.Parse([]string{network}); err != nil {
			return nil, pathErrorf(fmt.Sprintf("from[%d]", i), "%w", err)
		}
	}
	if t.from, err = forwarded.Parse(cfg.From); err != nil {
		return nil, pathErrorf("from", "%w", err)
	}
	if t.expires, err = parseTime(cfg.Expires); err != nil {
		return nil, pathErrorf("expires", "%w", err)
	}
	return t, nil
}

// tokenID returns what identifies a token without revealing it.
func tokenID(hash [sha256.Size]byte) string { return hex.EncodeToString(hash[:8]) }

// parseTime parses a date, which is its first moment in UTC, or an RFC 3339 time. "" is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is neither a date such as 2027-01-01, which ends a token as that day begins in UTC, nor a time such as 2027-01-01T12:00:00Z", text)
}

// findToken returns the token of the configuration that a client shows; nil if there is none.
func (s *state) findToken(shown string) *token {
	sum := sha256.Sum256([]byte(shown))
	t := s.tokens[sum]
	if t == nil || subtle.ConstantTimeCompare(t.hash[:], sum[:]) != 1 {
		return nil
	}
	return t
}

// identifyToken returns the principal of a token.
func (s *state) identifyToken(t *token, address netip.Addr) Verdict {
	if refusal := t.refusal(address, s.options.Now()); refusal != nil {
		return Verdict{Refusal: refusal}
	}
	return s.principal(Principal{
		Name: t.name, Source: SourceToken, Role: t.role, Expires: t.expires, CredentialID: t.id,
		resolve: func(later *state, p *Principal) *Refusal {
			now := later.tokens[t.hash]
			if now == nil || now.name != t.name {
				return removed()
			}
			p.Role, p.Expires = now.role, now.expires
			return now.refusal(address, later.options.Now())
		},
	})
}

// refusal reports why a token may not be used.
func (t *token) refusal(address netip.Addr, now time.Time) *Refusal {
	switch {
	case !t.expires.IsZero() && !now.Before(t.expires):
		return &Refusal{Status: 401, Code: "expired", Reason: "this token has expired; ask the operator for a new one"}
	case t.from != nil && !t.from.Trusts(address):
		return &Refusal{Status: 403, Code: "address", Reason: "this token may not be used from your address; ask the operator to add it to the token's networks"}
	}
	return nil
}

// sortedTokens returns the tokens by name.
func (s *state) sortedTokens() []*token {
	var all []*token
	for _, t := range s.tokens {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *token) int { return strings.Compare(a.name+"\x00"+a.id, b.name+"\x00"+b.id) })
	return all
}

// Check reports why a token of a configuration cannot be used. It does not know the roles. The error
// is a *PathError below the token.
func (cfg TokenConfig) Check() error {
	_, err := newToken(cfg)
	return err
}
