package access

import "time"

// Principal is who a client is, and what it may do. It does not change.
type Principal struct {
	// Name is the user's or program's name; "" for an anonymous client.
	Name string
	// Source is how it was identified.
	Source string
	// Role is the name of the role that its grants come from; "" if they came with the credential.
	Role string
	// Grants are what it may do.
	Grants *Grants
	// Expires is when the credential ends on an open connection; the zero time is never.
	Expires time.Time
	// IssuedAt is when the credential was made, if it says so; for the list of revoked ones.
	IssuedAt time.Time
	// CredentialID identifies the credential without revealing it, such as a JWT's jti or the
	// first digits of a token's hash.
	CredentialID string
	// RenewAfter is when a callback wants to be asked again; the zero time is never.
	RenewAfter time.Time
	// Data is what a callback's answer has for the client in "data", as JSON; nil if nothing.
	Data []byte

	// claims are those of a JWT, by which a reload finds its role again, and signed is what it was
	// signed with.
	claims []byte
	signed tokenSignature
	// renewal is what a callback is asked again; nil if it was not asked. answer is its last
	// answer; unknownSince is when it gave none for the first time.
	renewal      *renewal
	answer       answer
	unknownSince time.Time

	// resolve sets what is of the configuration to that of a later one: the role, and for a
	// token when it expires. It reports why the principal may no longer enter. If it is nil, the
	// role is the same.
	resolve func(*state, *Principal) *Refusal
}

// The sources of a principal, as they are told and recorded.
const (
	SourceSigned      = "signed"      // a signed URL
	SourceToken       = "token"       // a token of the configuration
	SourceJWT         = "jwt"         // a JSON Web Token
	SourceCallback    = "callback"    // an application said so
	SourceCertificate = "certificate" // the client's certificate
	SourceUnix        = "unix"        // the process at the other end of a Unix socket
	SourceProxy       = "proxy"       // a proxy that signed the user in
	SourceAnonymous   = "anonymous"   // nothing
)

// Ambient reports whether a browser shows what identified the principal unasked, or nothing did: a
// foreign page would act with the rights of its user. A cookie counts only from a page that may
// connect, so what it identifies is not ambient.
func (p *Principal) Ambient() bool {
	switch p.Source {
	case SourceToken, SourceJWT, SourceSigned, SourceCallback:
		return false
	}
	return true
}

// Equal reports whether another principal has the same name, source, credential and rights, so that
// a client that becomes it need not be told.
func (p *Principal) Equal(other *Principal) bool {
	return p == other || p != nil && other != nil && p.Name == other.Name && p.Source == other.Source && p.Role == other.Role &&
		p.CredentialID == other.CredentialID && p.Expires.Equal(other.Expires) && p.Grants.Key() == other.Grants.Key()
}

// UnknownSince returns since when the callback could not be asked about the principal; the zero
// time if it could.
func (p *Principal) UnknownSince() time.Time { return p.unknownSince }
