package bridge

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

const kickForm = `{"name": "<of a user>"}, {"client": "<session>"} or {"id": "<of a credential>"}, and "block": "10m" to keep the user out for that time`

// kickRequest says which clients are to be closed. One of the first three is set.
type kickRequest struct {
	name, client, id string
	block            time.Duration
}

// readKick reads a request to close clients.
func readKick(payload []byte) (k kickRequest, wrong *apiError) {
	f, wrong := readFields(payload, kickForm, "name", "client", "id", "block")
	if wrong != nil {
		return k, wrong
	}
	given := 0
	for name, into := range map[string]*string{"name": &k.name, "client": &k.client, "id": &k.id} {
		if raw, ok := f[name]; ok {
			if json.Unmarshal(raw, into) != nil || *into == "" {
				return k, apiErrorf(http.StatusBadRequest, "%q must be a string that is not empty; send %s", name, kickForm)
			}
			given++
		}
	}
	if given != 1 {
		return k, apiErrorf(http.StatusBadRequest, "name one user, client or credential; send %s", kickForm)
	}
	if raw, ok := f["block"]; ok {
		var text string
		var err error
		if err = json.Unmarshal(raw, &text); err == nil {
			k.block, err = time.ParseDuration(text)
		}
		if err != nil || k.block <= 0 || k.block > access.MaxBlock {
			return k, apiErrorf(http.StatusBadRequest, `"block" must be a time such as "10m", %v at most; to keep a user out for longer, revoke the credential`, access.MaxBlock)
		}
	}
	return k, nil
}

// matches reports whether a client is to be closed.
func (b *Bridge) matches(k kickRequest, c *client) bool {
	p := c.principal()
	switch {
	case k.client != "":
		return b.clientID(c.number) == k.client
	case p == nil:
		return false
	case k.id != "":
		return p.CredentialID == k.id
	}
	return p.Name == k.name
}

// apiKick closes clients, and keeps their names out for a time if that is asked for. Those that
// enter at the same moment are checked again when their connections open.
func (b *Bridge) apiKick(_ *http.Request, by *client, payload []byte) (int, []byte, *apiError) {
	k, wrong := readKick(payload)
	if wrong != nil {
		return 0, nil, wrong
	}
	if d := b.decide(by, access.Request{Door: access.Administer}); !d.Allowed {
		return 0, nil, b.forbid(by, "kick", "", d)
	}
	names, err := b.blockedNames(k)
	if err != nil {
		return 0, nil, err
	}
	if b.access != nil {
		b.access.generation.Add(1)
	}
	closed := 0
	b.engine.Each(func(conn engine.Conn, v any) {
		if c := v.(*client); b.matches(k, c) || c.principal() != nil && names[c.principal().Name] {
			b.kick(conn, c, by, k.block)
			closed++
		}
	})
	if closed == 0 && names[k.name] { // no other record has the block
		b.cfg.Audit.Kicked(audit.Kicked{Who: audit.Who{Name: k.name}, Code: access.CodeKicked, By: by.user(), Block: k.block})
	}
	b.log.Info("an operator closed clients", "name", k.name, "client", k.client, "id", k.id, "closed", closed, "block", k.block, "by", by.user())
	return http.StatusOK, protocol.JSON(struct {
		Closed int `json:"closed"`
	}{closed}), nil
}

// blockedNames blocks the names of the clients that are to be closed, if that is asked for.
func (b *Bridge) blockedNames(k kickRequest) (map[string]bool, *apiError) {
	names := map[string]bool{}
	if k.block == 0 {
		return names, nil
	}
	if b.access == nil {
		return nil, apiErrorf(http.StatusBadRequest, "without access control clients have no names to block; leave out \"block\"")
	}
	if k.name != "" {
		names[k.name] = true
	}
	b.engine.Each(func(_ engine.Conn, v any) {
		if c := v.(*client); b.matches(k, c) && c.principal() != nil {
			names[c.principal().Name] = true
		}
	})
	if names[""] {
		return nil, apiErrorf(http.StatusBadRequest, `an anonymous client has no name to block; leave out "block"`)
	}
	for name := range names {
		if !b.access.blocked.Add(name, k.block) {
			return nil, apiErrorf(http.StatusServiceUnavailable, "%d names are blocked, which is the most; revoke the credential instead", access.MaxBlocks)
		}
	}
	return names, nil
}

// kick closes a client.
func (b *Bridge) kick(conn engine.Conn, c *client, by *client, block time.Duration) {
	const reason = "an operator closed this connection"
	defer c.lockAccess()()
	record := audit.Kicked{Who: b.who(c), Code: access.CodeKicked, By: by.user(), Block: block}
	if c.accessOf() == nil {
		b.cfg.Audit.Kicked(record)
		c.set(clientGone)
		conn.Close(closeRevoked, reason)
		return
	}
	c.extra.access.conn = conn
	b.closeBy(c, record, closeRevoked, reason)
}
