// Package forwarded determines the client's address of a request that came through
// proxies, from X-Forwarded-For and Forwarded (RFC 7239). Clients can forge both, so only
// what trusted proxies added counts. Each proxy appends the address from which it got the
// request, so the list is read from its end, past trusted proxies, to the first address
// that is not one.
//
//	X-Forwarded-For: made up, 192.0.2.7, 10.0.0.2     from 10.0.0.1
//	                           client ◄── trusted ◄── trusted
//
// A proxy writes one of the two fields and passes the other on as the client sent it. If
// both are present and disagree, the client is unknown.
package forwarded
