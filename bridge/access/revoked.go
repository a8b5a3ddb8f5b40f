package access

import (
	"errors"
	"fmt"
	"time"
)

// revocation ends the credentials of a name, or one credential. What is not given is no constraint.
type revocation struct {
	name, id string
	before   time.Time
}

func (s *state) addRevoked() error {
	var errs []error
	for i, cfg := range s.cfg.Revoked {
		path := fmt.Sprintf("revoked[%d]", i)
		before, err := parseTime(cfg.IssuedBefore)
		switch {
		case err != nil:
			errs = append(errs, pathErrorf(path+".issued-before", "%.40q is neither a date such as 2027-01-01 nor a time such as 2027-01-01T12:00:00Z", cfg.IssuedBefore))
		case cfg == (Revocation{}):
			errs = append(errs, pathErrorf(path, "this revokes nothing; write a name, the id of a credential, issued-before, or several of them"))
		default:
			s.revoked = append(s.revoked, revocation{cfg.Name, cfg.ID, before})
		}
	}
	return errors.Join(errs...)
}

// covers reports whether a principal's credential is revoked. A credential that does not say when
// it was made counts as older than any time. Clients without a credential have none to revoke.
func (r revocation) covers(p *Principal) bool {
	return p.Source != SourceAnonymous &&
		(r.name == "" || r.name == p.Name) &&
		(r.id == "" || r.id == p.CredentialID) &&
		(r.before.IsZero() || p.IssuedAt.Before(r.before))
}
