package access

import (
	"encoding/json"
	"time"
)

// Config is the section "access" of the configuration file. The keys are given by the tags.
type Config struct {
	// Roles are grants by name, each as [ParseGrants] reads it.
	Roles map[string]json.RawMessage `json:"roles"`
	// Anonymous is the role of clients without a credential; "" lets none enter.
	Anonymous string        `json:"anonymous"`
	Signed    *SignedConfig `json:"signed"`
	Tokens    []TokenConfig `json:"tokens"`
	JWT       []JWTConfig   `json:"jwt"`
	// ClientsCA is the file of the authorities that sign clients' certificates.
	ClientsCA string `json:"clients-ca"`
	// Certificates are roles by the subject of a client's certificate.
	Certificates map[string]string `json:"certificates"`
	// Unix are roles by user:NAME and group:NAME of the peer of a Unix socket.
	Unix     Assignments     `json:"unix"`
	Proxy    *ProxyConfig    `json:"proxy"`
	Callback *CallbackConfig `json:"callback"`
	// Revoked are credentials that are valid no longer.
	Revoked []Revocation `json:"revoked"`
	// TokenInURL allows ?token=, which proxies log.
	TokenInURL bool `json:"token-in-url"`
	// Cookie is the name of the cookie with a token; "" reads none.
	Cookie string `json:"cookie"`
}

// SignedConfig configures signed URLs, as baseplate makes them.
type SignedConfig struct {
	Secrets  string `json:"secrets"`  // file
	Name     string `json:"name"`     // of the secret in it
	Role     string `json:"role"`     // on "/"
	Lifetime string `json:"lifetime"` // connect or session
}

// TokenConfig is a token of a program.
type TokenConfig struct {
	Name    string   `json:"name"`
	Hash    string   `json:"hash"` // sha256:HEX
	Role    string   `json:"role"`
	From    []string `json:"from"`    // networks and addresses; none is all
	Expires string   `json:"expires"` // a date or an RFC 3339 time; "" is never
}

// JWTConfig is an issuer of JSON Web Tokens.
type JWTConfig struct {
	Issuer     string      `json:"issuer"`
	Audience   string      `json:"audience"`
	Algorithms []string    `json:"algorithms"` // HS256, RS256, ES256, EdDSA
	JWKS       string      `json:"jwks"`       // URL
	Secret     string      `json:"secret"`     // HS256; file:PATH or the secret
	Name       string      `json:"name"`       // claim with the name; "" is sub
	Roles      Assignments `json:"roles"`      // role by CLAIM:VALUE
	Role       string      `json:"role"`       // if none of those fits; "" is none
}

// ProxyConfig trusts the headers of a proxy that has signed its users in.
type ProxyConfig struct {
	From    []string    `json:"from"`
	User    string      `json:"user"`
	Groups  string      `json:"groups"`
	Address string      `json:"address"` // header with the client's address: X-Forwarded-For or Forwarded
	Roles   Assignments `json:"roles"`   // role by user:NAME or group:NAME
	Role    string      `json:"role"`    // if none of those fits
}

// CallbackConfig asks a web application.
type CallbackConfig struct {
	URL      string        `json:"url"`
	Style    string        `json:"style"`     // post or proxy
	Headers  []string      `json:"headers"`   // forwarded by style proxy; cookie:NAME is one cookie
	Secret   string        `json:"secret"`    // bearer token that the application expects; file:PATH or the token
	Ask      []string      `json:"ask"`       // subscribe, command
	Events   []string      `json:"events"`    // subscribe, unsubscribe, message
	Role     string        `json:"role"`      // if the answer names none
	Timeout  time.Duration `json:"timeout"`   // 5s
	Grace    time.Duration `json:"grace"`     // 10m
	InFlight int           `json:"in-flight"` // 16
}

// Revocation ends credentials of a name, or one credential.
type Revocation struct {
	Name         string `json:"name"`
	ID           string `json:"id"`
	IssuedBefore string `json:"issued-before"` // RFC 3339; "" is all
}
