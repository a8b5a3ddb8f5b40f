package access

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// keyRefusal says why there is no key to verify a token with. That its issuer does not answer
// says nothing about the token.
func keyRefusal(err error) Verdict {
	var unknown *unknownError
	switch {
	case errors.As(err, &unknown):
		return unavailable("the keys of the token's issuer cannot be fetched now; try again soon", unknown.retry)
	case errors.Is(err, errNoKey):
		return refuse(401, "key", "the token is signed with a key that its issuer does not have, or no longer; get a new one")
	}
	return refuse(401, "key", "the token names a key that is not for its algorithm; get a new one")
}

// refusal says in words for a client why a token is not valid. The library's errors quote nothing
// of it, but are no sentences.
func (i *issuer) refusal(err error) *Refusal {
	for _, known := range []struct {
		err          error
		code, reason string
	}{
		// In the order in which they help: other mistakes come with a foreign audience.
		{jwt.ErrTokenInvalidAudience, "audience", `the token is not for this bridge: its claim "aud" does not have what is configured here; get one for this bridge`},
		{jwt.ErrTokenExpired, "expired", "the token has expired; get a new one"},
		{jwt.ErrTokenNotValidYet, "early", `the token is not valid yet: its claim "nbf" is later than the clock of this machine`},
		{jwt.ErrTokenUsedBeforeIssued, "early", `the token was issued later than the clock of this machine says: its claim "iat" is in the future; set the clocks right`},
		{jwt.ErrTokenRequiredClaimMissing, "claims", `the token lacks "exp" or "aud", which this bridge requires; have the issuer add them`},
		{jwt.ErrTokenSignatureInvalid, "signature", "the signature of the token is not one of its issuer; get a new one"},
	} {
		if errors.Is(err, known.err) {
			return refuse(401, known.code, known.reason).Refusal
		}
	}
	return refuse(401, "malformed", "the token is not a JSON Web Token that this bridge can read; get a new one").Refusal
}
