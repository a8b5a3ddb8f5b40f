// Package origin decides which web pages may use a bridge. A browser lets any page open
// a WebSocket to any address, even to one that only this machine can reach, and names
// the page's origin in Origin (RFC 6455, 10.2; RFC 6454). Programs other than browsers
// send no Origin, and may do everything.
//
// The package knows neither sockets nor CLU: a [Policy] takes the fields of a request
// and a description of its listener, and returns a [RejectError] or nil.
//
//	origins listed?   listener            pages that may              names that Host may have
//	yes               any                 those listed, no others     as below
//	no                beyond loopback     all                         any
//	no                loopback, Unix      of origins on loopback      of loopback, or listed
//	no                the admin's         of the host that is asked   an address, of loopback, its own, or listed
//
// Host is checked because an attacker's name can resolve to 127.0.0.1, and then its
// pages have the same origin as the server there (DNS rebinding). "*" lists every page,
// and then Host is checked on the admin listener only; "null" lists pages without an
// origin, such as files.
package origin
