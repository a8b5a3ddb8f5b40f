package bridge

import "net/netip"

// commonPath is the path of nearly all clients.
const commonPath = "/"

// uncommon is what few clients have.
type uncommon struct {
	path   string // if it is not the common one
	remote string // if the client's address is not of a family
	guest  *guest // of one in a room
}

// family is the kind of an address that a client holds without a text of its own.
type family uint8

const (
	familyNone family = iota
	familyIPv4        // with a port, as the next
	familyIPv6
)

// rare returns what is uncommon about a client that is being accepted, to be set.
func (c *client) rare() *uncommon {
	if c.uncommon == nil {
		c.uncommon = new(uncommon)
	}
	return c.uncommon
}

// path returns the path of the client's request.
func (c *client) path() string {
	if c.uncommon == nil || c.uncommon.path == "" {
		return commonPath
	}
	return c.uncommon.path
}

// guest returns what a client in a room is, or nil.
func (c *client) guest() *guest {
	if c.uncommon == nil {
		return nil
	}
	return c.uncommon.guest
}

// setRemote notes the client's address, which may be any text.
func (c *client) setRemote(name string) {
	at, err := netip.ParseAddrPort(name)
	switch addr := at.Addr(); {
	case err != nil || addr.Zone() != "" || at.String() != name:
		c.rare().remote = name
		return
	case addr.Is4():
		c.family = familyIPv4
	default:
		c.family = familyIPv6
	}
	c.address, c.port = at.Addr().As16(), at.Port()
}

// remote returns the client's address, as it was given to setRemote.
func (c *client) Remote() string {
	addr := netip.AddrFrom16(c.address)
	switch c.family {
	case familyIPv4:
		addr = addr.Unmap()
	case familyNone:
		if c.uncommon == nil {
			return ""
		}
		return c.uncommon.remote
	}
	return netip.AddrPortFrom(addr, c.port).String()
}
