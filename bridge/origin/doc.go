// Package origin decides which web pages may use a bridge. A browser lets any page open a
// WebSocket to any address, even to one that only this machine can reach, and names the
// page's origin in Origin (RFC 6455, 10.2; RFC 6454). Programs other than browsers send no
// Origin, and are not restricted.
//
// The package knows neither sockets nor CLU: a [Policy] takes the fields of a request and
// a description of its listener, and returns a [RejectError] or nil.
//
//	origins given?   listener             allowed origins             allowed hosts
//	yes              any                  those given                 as below
//	no               beyond loopback      all                         any
//	no               loopback, Unix       on loopback                 on loopback, or of an origin given
//	any              access control       those given, the one asked    on loopback: as above, but any through a trusted proxy
//	no               admin                the requested host          an address, on loopback, its own, or of an origin given
//
// With access control, the origin that was asked is scheme, host and port as the browser sees
// them. A page that shows a bearer token needs no allowed origin, since no browser adds such a
// token by itself: the caller asks [Policy.CheckHost] alone for it.
//
// Host is checked because an attacker's name can resolve to 127.0.0.1, which gives the
// attacker's pages the same origin as the server there (DNS rebinding). "*" allows every
// page, and then Host is checked on the admin listener only; "null" allows pages without an
// origin, such as files.
package origin
