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
//	no               admin                the requested host          an address, on loopback, its own, or of an origin given
//
// Host is checked because an attacker's name can resolve to 127.0.0.1, which gives the
// attacker's pages the same origin as the server there (DNS rebinding). "*" allows every
// page, and then Host is checked on the admin listener only; "null" allows pages without an
// origin, such as files.
package origin
