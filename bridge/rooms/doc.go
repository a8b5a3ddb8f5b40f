// Package rooms delivers the messages of exchanges other than the actors' to the clients that
// connected to a path.
//
//	message ──► Source.Room(routing key) ──► Rooms.Deliver(path) ──► the logs of that room and of those below it
//
// A source (source.go) is such an exchange, with the path at and below which its rooms are. A path
// is checked and cleaned once (path.go). An index (index.go) finds the rooms that get a message for
// a path. Clients follow their room's log (rooms.go).
package rooms
