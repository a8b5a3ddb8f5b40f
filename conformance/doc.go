// Package conformance has the cases of the v1 protocol as data, and the scripted bridge that plays them to a client.
//
// A client runs them by [Run] or by the program in scripted; the README says how. The tests of package bridge play the
// other side of the same cases to a real bridge.
package conformance
