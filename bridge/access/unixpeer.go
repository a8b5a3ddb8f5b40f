package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// accounts looks up the accounts of this machine. It may block, for example on LDAP.
type accounts interface {
	// user returns the name of a user, "" if it has none, and the names of the groups that it is
	// in; gid is one more group of it, -1 if that is unknown.
	lookup(uid, gid int) (name string, groups []string, err error)
}

// systemAccounts are the accounts of the operating system.
type systemAccounts struct {
	// partial reports that this process is in a user namespace that does not have all ids.
	partial bool
}

// overflowID is the id that Linux shows instead of one that a user namespace does not have. It is
// also the id of the user nobody.
const overflowID = 65534

// errUnmapped is the error for a user that the user namespace of this process does not have.
var errUnmapped = errors.New("this process is in a user namespace that does not have the peer's user; under systemd, set PrivateUsers=no")

func newSystemAccounts() systemAccounts {
	ids, err := os.ReadFile("/proc/self/uid_map") // Linux only
	return systemAccounts{partial: err == nil && !hasAllIDs(string(ids))}
}

// hasAllIDs reports whether a uid_map has all ids, each as itself.
func hasAllIDs(uidMap string) bool {
	return slices.Equal(strings.Fields(uidMap), []string{"0", "0", "4294967295"})
}

func (a systemAccounts) lookup(uid, gid int) (name string, groups []string, err error) {
	if a.partial && uid == overflowID {
		return "", nil, errUnmapped
	}
	var ids []string
	if gid >= 0 && !(a.partial && gid == overflowID) {
		ids = append(ids, strconv.Itoa(gid))
	}
	account, err := user.LookupId(strconv.Itoa(uid))
	var unknown user.UnknownUserIdError
	switch {
	case errors.As(err, &unknown): // as in a container
	case err != nil:
		return "", nil, err
	default:
		name = account.Username
		more, err := account.GroupIds()
		if err != nil {
			return "", nil, err
		}
		ids = append(ids, more...)
	}
	for _, id := range ids {
		groups = append(groups, id)
		if g, err := user.LookupGroupId(id); err == nil {
			groups = append(groups, g.Name)
		}
	}
	return name, groups, nil
}

// identifyPeer returns the principal of a process at the other end of a Unix socket, by its user and
// all groups of that, which are looked up on another goroutine. A user that is not configured is as
// one without a credential, since every process has a user.
func (s *state) identifyPeer(peer UnixPeer, a accounts, otherwise Verdict) Verdict {
	return Verdict{Later: func(context.Context) Verdict {
		name, groups, err := a.lookup(peer.UID, peer.GID)
		if errors.Is(err, errUnmapped) {
			s.options.Logger.Warn("a client at a Unix socket has no user", "error", err)
			return otherwise
		}
		if err != nil {
			s.options.Logger.Warn("cannot look up the user of a Unix socket's peer", "uid", peer.UID, "error", err)
			return refuse(503, "unavailable", "the bridge cannot look up your user at present; try again later")
		}
		users := []string{strconv.Itoa(peer.UID)}
		if name != "" {
			users = append(users, name)
		} else {
			name = users[0]
		}
		role := s.cfg.Unix.roleOf(users, groups)
		if role == "" {
			return otherwise
		}
		return s.principal(Principal{
			Name: name, Source: SourceUnix, Role: role, IssuedAt: s.options.Now(), CredentialID: fmt.Sprintf("uid %d", peer.UID),
			resolve: func(later *state, p *Principal) *Refusal { return p.setRole(later.cfg.Unix.roleOf(users, groups)) },
		})
	}}
}
