// Package origin decides which web pages may use a bridge. A browser lets any page
// open a WebSocket to any address, also to one that only this machine reaches, and
// says whose page it is in the field Origin (RFC 6455, 10.2; RFC 6454). A program
// sends none, and may do everything.
//
// The package knows neither sockets nor CLU: a [Policy] gets what a request says of
// itself and how its listener is reached, and gives a [Refusal] or nil.
//
//	origins listed?   listener            pages that may              names that Host may have
//	yes               any                 those listed, no others     as below
//	no                beyond loopback     all                         any
//	no                loopback, Unix      of origins on loopback      of loopback, or listed
//	no                the admin's         of the host that is asked   an address, of loopback, its own, or listed
//
// The Host must be known because a page can have its own name resolve to
// 127.0.0.1, and then is of the same origin as whatever listens there (DNS
// rebinding). "*" lists every page, and then the Host is checked for the admin's
// listener only; "null" lists the pages that have no origin, such as files.
package origin
