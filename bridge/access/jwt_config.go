package access

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// algorithms are those that may be configured.
var algorithms = []string{"HS256", "RS256", "ES256", "EdDSA"}

// secretMinLength is that of a secret for HS256, in bytes (RFC 7518, 3.2).
const secretMinLength = 32

// newJWT returns a source for the configured issuers. It keeps the keys that old has; old may
// be nil. Its errors are *PathError, joined.
func newJWT(cfgs []JWTConfig, roles map[string]*Grants, old *jwtSource, o Options) (*jwtSource, error) {
	s := &jwtSource{issuers: map[string][]*issuer{}, roles: roles, now: o.Now, verifying: verifiers(old)}
	var wrong []error
	for n, cfg := range cfgs {
		at := fmt.Sprintf("jwt[%d]", n)
		i, errs := newIssuer(cfg, roles, o)
		for _, err := range errs {
			err.Path = at + err.Path
			wrong = append(wrong, err)
		}
		if slices.ContainsFunc(s.issuers[cfg.Issuer], func(other *issuer) bool { return other.audience == cfg.Audience }) {
			wrong = append(wrong, &PathError{at, errors.New("this issuer and audience are listed twice; merge the entries")})
		}
		s.issuers[cfg.Issuer] = append(s.issuers[cfg.Issuer], i)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	s.adopt(old)
	return s, nil
}

// newIssuer returns an issuer, or errors whose paths begin at its entry.
func newIssuer(cfg JWTConfig, roles map[string]*Grants, o Options) (*issuer, []*PathError) {
	i := &issuer{name: cfg.Issuer, audience: cfg.Audience, claim: cfg.Name, role: cfg.Role, algorithms: cfg.Algorithms}
	if i.claim == "" {
		i.claim = "sub"
	}
	var wrong []*PathError
	no := func(path string, err error) {
		if err != nil {
			wrong = append(wrong, &PathError{path, err})
		}
	}
	if cfg.Issuer == "" {
		no(".issuer", errors.New(`must be what the claim "iss" of its tokens says`))
	}
	if cfg.Audience == "" {
		no(".audience", errors.New(`must be what the claim "aud" of its tokens says for this bridge; without one, a token for any application would do`))
	}
	no(".algorithms", checkAlgorithms(cfg.Algorithms))
	var err error
	i.secret, err = sharedSecret(cfg, o)
	no(".secret", err)
	address, err := keysAddress(cfg)
	no(".jwks", err)
	if address != nil {
		i.keys = newKeySet(address, o)
		if overPlainNetwork(address) {
			o.Logger.Warn("the keys of an issuer of tokens are fetched without TLS: anyone who can alter them in transit can impersonate any user", "jwks", shownURL(address))
		}
	}
	for _, a := range cfg.Roles {
		rule, err := newClaimRule(a)
		no(".roles", err)
		i.rules = append(i.rules, rule)
		if roles[a.Role] == nil {
			no(fmt.Sprintf(".roles[%q]", a.Match), unknownRole(a.Role))
		}
	}
	if cfg.Role != "" && roles[cfg.Role] == nil {
		no(".role", unknownRole(cfg.Role))
	}
	i.parser = jwt.NewParser(i.options(o)...)
	i.validator = jwt.NewValidator(i.options(o)...)
	return i, wrong
}

func (i *issuer) options(o Options) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithValidMethods(i.algorithms), jwt.WithIssuer(i.name), jwt.WithAudience(i.audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(jwtLeeway), jwt.WithTimeFunc(o.Now),
		jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	}
}

func checkAlgorithms(all []string) error {
	if len(all) == 0 {
		return fmt.Errorf("must list those that the issuer uses, of %s", strings.Join(algorithms, ", "))
	}
	for _, one := range all {
		if !slices.Contains(algorithms, one) {
			return fmt.Errorf("%q is not one of %s", one, strings.Join(algorithms, ", "))
		}
	}
	return nil
}

// sharedSecret returns the secret for HS256, or nil if that is not configured.
func sharedSecret(cfg JWTConfig, o Options) ([]byte, error) {
	wanted := slices.Contains(cfg.Algorithms, "HS256")
	switch {
	case !wanted && cfg.Secret != "":
		return nil, errors.New("is for HS256 only; add HS256 to algorithms, or leave the secret out")
	case !wanted:
		return nil, nil
	case cfg.Secret == "":
		return nil, errors.New("is required for HS256; write file: and the path of a file that has it")
	}
	secret, err := readSecret(cfg.Secret, o)
	if err == nil && len(secret) < secretMinLength {
		err = fmt.Errorf("has %d bytes; one for HS256 must have %d at least", len(secret), secretMinLength)
	}
	return secret, err
}

// keysAddress returns where the issuer's keys are, or nil if it has a shared secret only.
func keysAddress(cfg JWTConfig) (*url.URL, error) {
	wanted := slices.ContainsFunc(cfg.Algorithms, func(alg string) bool { return alg != "HS256" })
	switch {
	case !wanted && cfg.JWKS != "":
		return nil, errors.New("is not for HS256; add the algorithm of its keys to algorithms, or leave it out")
	case !wanted:
		return nil, nil
	case cfg.JWKS == "":
		return nil, errors.New("must be the URL of the issuer's keys, which its discovery document calls jwks_uri")
	}
	return checkURL(cfg.JWKS)
}

// readSecret returns a secret of the configuration: the text itself, or the contents of the file or
// the credential of systemd that it names, without the line's end.
func readSecret(value string, o Options) ([]byte, error) {
	path, isFile := strings.CutPrefix(value, "file:")
	if !isFile && !strings.HasPrefix(value, "credential:") {
		return []byte(value), nil
	}
	secret, err := o.Secret(path)
	if err != nil {
		return nil, err
	}
	return []byte(strings.TrimRight(string(secret), "\r\n")), nil
}

func unknownRole(name string) error { return fmt.Errorf("there is no role %q in roles", name) }
