package bridge

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// viewerOf returns what a client may hear by its grants.
func viewerOf(c *client, p *access.Principal) *hub.Viewer {
	return &hub.Viewer{
		View:     p.Grants.View,
		Own:      p.Grants.Own,
		Self:     c.Self(),
		Rooms:    func(path string) bool { return p.Decide(access.Request{Door: access.EnterRoom, Room: path}).Allowed },
		Detailed: p.Grants.Admin,
	}
}

// accessInfo returns what a client is told of its principal; nil without access control.
func accessInfo(p *access.Principal) *protocol.AccessInfo {
	if p == nil {
		return nil
	}
	info := &protocol.AccessInfo{Name: p.Name, Grants: p.Grants.JSON(), Data: p.Data}
	if !p.Expires.IsZero() {
		at := p.Expires.UTC().Format(protocol.TimeFormat)
		info.Expires = &at
	}
	return info
}

// changedGrants returns the names of the grants that differ, sorted.
func changedGrants(was, now *access.Grants) (names []string) {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(was.JSON(), &before) != nil || json.Unmarshal(now.JSON(), &after) != nil {
		return nil
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(before[name], after[name]) {
			names = append(names, name)
		}
	}
	return names
}
