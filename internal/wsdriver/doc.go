// Package wsdriver drives package wsclient by calls, as the conformance cases of the protocol want it of every client: one
// JSON object a line is a call or an event. It judges nothing.
//
//	calls ──► Run ──► wsclient ──► events
package wsdriver
