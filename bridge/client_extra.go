package bridge

import (
	"net/netip"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/quota"
	"github.com/clu-ws/clu-ws/internal/inorder"
)

// commonPath is the path of nearly all clients.
const commonPath = "/"

// clientExtra holds the data that only few clients have.
type clientExtra struct {
	path       string          // unless it is commonPath
	remote     string          // the client's address, if it belongs to no family
	roomClient *roomClient     // set for a client in a room
	dialect    dialect.Session // set for a client of a dialect
	principal  atomic.Pointer[access.Principal]
	usage      atomic.Pointer[quota.Usage] // its principal's; nil until it is counted
	asks       inorder.Queue
	access     *clientAccess // nil without access control, and over HTTP
	// identified is the generation of the configuration by which the sender of a request over
	// HTTP was identified, or looked at last.
	identified atomic.Uint64
}

// family is the kind of an address that is kept in binary form.
type family uint8

const (
	familyNone family = iota
	familyIPv4        // with a port
	familyIPv6        // with a port
)

// addExtra returns the extra of a client that is being accepted, for its fields to be set.
func (c *client) addExtra() *clientExtra {
	if c.extra == nil {
		c.extra = new(clientExtra)
	}
	return c.extra
}

// path returns the path of the client's request.
func (c *client) path() string {
	if c.extra == nil || c.extra.path == "" {
		return commonPath
	}
	return c.extra.path
}

// roomClient returns the data of a client in a room, or nil.
func (c *client) roomClient() *roomClient {
	if c.extra == nil {
		return nil
	}
	return c.extra.roomClient
}

// dialectSession returns the session of a client of a dialect, or nil.
func (c *client) dialectSession() dialect.Session {
	if c.extra == nil {
		return nil
	}
	return c.extra.dialect
}

// setRemote sets the client's address, which may be any text.
func (c *client) setRemote(name string) {
	at, err := netip.ParseAddrPort(name)
	switch addr := at.Addr(); {
	case err != nil || addr.Zone() != "" || at.String() != name:
		c.addExtra().remote = name
		return
	case addr.Is4():
		c.family = familyIPv4
	default:
		c.family = familyIPv6
	}
	c.address, c.port = at.Addr().As16(), at.Port()
}

// Remote returns the client's address as given to setRemote. It implements [hub.Client].
func (c *client) Remote() string {
	addr := netip.AddrFrom16(c.address)
	switch c.family {
	case familyIPv4:
		addr = addr.Unmap()
	case familyNone:
		if c.extra == nil {
			return ""
		}
		return c.extra.remote
	}
	return netip.AddrPortFrom(addr, c.port).String()
}
