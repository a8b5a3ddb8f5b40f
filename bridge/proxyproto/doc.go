// Package proxyproto reads the header of the PROXY protocol, with which a load
// balancer says in front of a connection's bytes whose they are. It knows bytes,
// no sockets, so that it serves loops that never wait as well as goroutines.
//
//	PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n        version 1: one line
//	\r\n\r\n\0\r\nQUIT\n 21 11 00 0c <addresses> <TLVs>     version 2: binary
//
// The protocol is HAProxy's: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
//
// Whoever can reach a port that expects the header can claim any address. The port
// must be reachable by the load balancer alone.
package proxyproto
