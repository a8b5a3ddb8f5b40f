// Package forwarded tells whose a request is that came by way of proxies, from the
// fields X-Forwarded-For and Forwarded (RFC 7239). Anybody can send them, so they
// are believed only as far as trusted proxies wrote them: each proxy appends the
// address from which the request came to it, and the list is read from its end, over
// the trusted ones, to the first address that is nobody's proxy.
//
//	X-Forwarded-For: made up, 192.0.2.7, 10.0.0.2     from 10.0.0.1
//	                           client ◄── trusted ◄── trusted
//
// A proxy writes one of the two fields and passes the other on as the client sent
// it. Where both are there and disagree, nobody can tell which is true.
package forwarded
