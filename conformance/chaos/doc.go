// Package chaos runs a client behind a network and a bridge that fail at random, and judges what it shows: no reply is
// missing, none comes twice, no command is sent twice or late, and each has one end that is true.
//
//	scenario (a seed) ──► faults ──► testkit.ChaosProxy, bridge
//	driver's events, what the actor got ──► judge
package chaos
