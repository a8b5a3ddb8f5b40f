// Package rooms delivers the messages of exchanges other than the actors' to the clients that
// connected to a path.
//
//	message ──► Source.Room(routing key) ──► Sequencer.Take ──► Rooms.Deliver(path) ──► the logs of that room and of those below it
//
// A source (source.go) is such an exchange, with the path at and below which its rooms are. A path
// is checked and cleaned once (path.go). An index (index.go) finds the rooms that get a message for
// a path. Clients follow their room's log (rooms.go).
// A publisher may say that a message has an order among others, or may be left out when it is soon
// followed by another; a sequencer decides that once for all clients (sequence.go).
package rooms
