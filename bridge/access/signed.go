package access

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// signedSource checks signed URLs. Their parameter m is made by baseplate's MessageSigner:
//
//	base64url( 01 00 00 | expiry | HMAC-SHA256(key, those 7 bytes | path) )
//
// The expiry is in seconds since 1970, an unsigned 32-bit integer, little-endian. The path is the
// percent-decoded one, in UTF-8. That is 39 bytes, or 52 characters without padding.
type signedSource struct {
	cfg     SignedConfig
	options Options
	keys    atomic.Pointer[secretKeys]
}

const (
	signedHead   = 7 // version, two bytes of padding, expiry
	signedBytes  = signedHead + sha256.Size
	signedLength = 52 // characters
)

// addSigned adds the source of signed URLs. It keeps that of the state before if nothing has changed:
// its keys are fresh, and a file that cannot be read just now must not keep others from a reload.
func (s *state) addSigned(before *state) error {
	cfg := s.cfg.Signed
	if cfg == nil {
		return nil
	}
	switch {
	case cfg.Secrets == "":
		return pathErrorf("signed.secrets", "a file is missing; name the secrets file of baseplate")
	case cfg.Name == "":
		return pathErrorf("signed.name", "the name of the secret is missing, such as secret/websockets/authorization_key")
	case cfg.Lifetime != "" && cfg.Lifetime != "connect" && cfg.Lifetime != "session":
		return pathErrorf("signed.lifetime", "%.40q is neither connect, which looks at the time only when a client connects, nor session, which closes the connection when the signature expires", cfg.Lifetime)
	}
	if cfg.Role != "" {
		if err := s.checkRole("signed.role", cfg.Role); err != nil {
			return err
		}
		if s.roles[cfg.Role].Named() {
			return pathErrorf("signed.role", "the role %q has %s, but a signed URL has no name", cfg.Role, nameMark)
		}
	}
	if before != nil && before.signed != nil && before.signed.cfg == *cfg {
		s.signed = before.signed
		return nil
	}
	s.signed = &signedSource{cfg: *cfg, options: s.options}
	if err := s.signed.read(); err != nil {
		return pathErrorf("signed.secrets", "%w", err)
	}
	return nil
}

// signature is a decoded parameter m.
type signature struct {
	raw     [signedBytes]byte
	expires time.Time
}

// parseSignature decodes a parameter m. One = at its end is tolerated. Nothing else that is not of
// the alphabet is, unlike in Python, so that a URL has one form only.
func parseSignature(text string) (s signature, ok bool) {
	text = strings.TrimSuffix(text, "=")
	if len(text) != signedLength {
		return s, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != signedBytes || raw[0] != 1 {
		return s, false
	}
	s.raw = [signedBytes]byte(raw)
	s.expires = time.Unix(int64(binary.LittleEndian.Uint32(raw[3:])), 0)
	return s, true
}

// signs reports whether a key has made the signature for a path.
func (s *signature) signs(key []byte, path string) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write(s.raw[:signedHead])
	mac.Write([]byte(path))
	return hmac.Equal(mac.Sum(nil), s.raw[signedHead:])
}

// check returns the signature of a path, or why it is none.
func (s *signedSource) check(path, m string, now time.Time) (signature, *Refusal) {
	sig, ok := parseSignature(m)
	switch {
	case m == "":
		return sig, &Refusal{Status: 403, Code: "invalid", Reason: "this URL has no signature m; the application that this page is from signs URLs"}
	case !ok:
		return sig, &Refusal{Status: 403, Code: "invalid", Reason: "the signature m of this URL is not readable; copy the URL whole, or ask for a new one"}
	}
	if !s.keys.Load().any(func(key []byte) bool { return sig.signs(key, path) }) {
		return sig, &Refusal{Status: 403, Code: "invalid", Reason: "the signature m is not one of this path; ask for a new URL"}
	}
	if now.After(sig.expires) {
		return sig, &Refusal{Status: 403, Code: "expired", Reason: "this URL has expired; ask for a new one"}
	}
	return sig, nil
}

// identifySigned returns the principal of a signed URL. It may hear the room that is its path, or has
// the configured role on /.
func (s *state) identifySigned(path, m string) Verdict {
	if s.signed == nil {
		return refuse(403, "invalid", "this bridge takes no signed URLs, so the parameter m has no meaning; leave it out")
	}
	sig, refusal := s.signed.check(path, m, s.options.Now())
	if refusal != nil {
		return Verdict{Refusal: refusal}
	}
	id := sha256.Sum256(sig.raw[:])
	p := Principal{Source: SourceSigned, CredentialID: hex.EncodeToString(id[:8]), IssuedAt: s.options.Now()}
	p.resolve = func(later *state, p *Principal) *Refusal { return later.resolveSigned(path, m, p) }
	if s.signed.cfg.Lifetime == "session" {
		p.Expires = sig.expires
	}
	if path != "/" {
		p.Grants = exactRoom(path)
		return Verdict{Principal: &p}
	}
	if p.Role = s.signed.cfg.Role; p.Role == "" {
		return refuse(403, "no_role", "a signed URL opens a room here; ask for the URL of a room")
	}
	return s.principal(p)
}

// resolveSigned checks the principal of a signed URL in this state. Unless its signature holds for
// the session, it was needed for connecting only.
func (s *state) resolveSigned(path, m string, p *Principal) *Refusal {
	if s.signed == nil {
		return removed()
	}
	if p.Role != "" {
		if p.Role = s.signed.cfg.Role; p.Role == "" {
			return removed()
		}
	}
	if p.Expires.IsZero() {
		return nil
	}
	if _, refusal := s.signed.check(path, m, s.options.Now()); refusal != nil && refusal.Code != "expired" {
		return removed()
	}
	return nil
}

// exactRoom returns grants of hearing a room whose path a signature names. A star in the path
// stands for itself.
func exactRoom(path string) *Grants {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/") // as rooms.CleanPath does
	}
	g := &Grants{View: filter.NewView(nil, nil), rooms: []roomPattern{{text: path, exact: true}}, form: grantsForm{Rooms: []string{path}}}
	g.canonical, _ = g.form.encode() // texts always have a form in JSON
	g.allowed.rooms = path
	return g
}

// read reads the keys from the secrets file.
func (s *signedSource) read() error {
	raw, err := s.options.Secret(s.cfg.Secrets)
	if err != nil {
		return err
	}
	if now := s.keys.Load(); now != nil && bytes.Equal(now.raw, raw) {
		return nil
	}
	keys, err := parseSecrets(raw, s.cfg.Name)
	if err != nil {
		return err
	}
	s.keys.Store(keys)
	return nil
}

// secretsEvery is how often the secrets file is read. Its provider replaces it some minutes before
// a new key is used.
const secretsEvery = time.Second

// run reads the secrets file again and again until the context ends. While it cannot be used, the
// keys stay.
func (s *signedSource) run(ctx context.Context) {
	tick := time.NewTicker(secretsEvery)
	defer tick.Stop()
	var logged string // what failed last
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before := s.keys.Load()
		err := s.read()
		switch {
		case err != nil && err.Error() != logged:
			s.options.Logger.Warn("cannot read the secrets of signed URLs; the earlier keys stay in use", "file", s.cfg.Secrets, "error", err)
		case err == nil && s.keys.Load() != before:
			s.options.Logger.Info("read new keys of signed URLs", "file", s.cfg.Secrets)
		}
		if logged = ""; err != nil {
			logged = err.Error()
		}
	}
}
