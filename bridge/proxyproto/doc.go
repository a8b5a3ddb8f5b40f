// Package proxyproto parses PROXY protocol headers, in which a load balancer names the
// client ahead of a connection's bytes. It works on bytes rather than sockets, so it serves
// nonblocking loops as well as goroutines.
//
//	PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n        version 1: one line
//	\r\n\r\n\0\r\nQUIT\n 21 11 00 0c <addresses> <TLVs>     version 2: binary
//
// The protocol is HAProxy's: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
//
// Anyone who can reach a port that expects the header can claim any address, so only the
// load balancer must be able to reach it.
package proxyproto
