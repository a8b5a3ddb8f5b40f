// Package dialect is what the bridge and the protocols of other systems have in common: a dialect
// serves the clients of a path in the words of another system, so that its pages and its backends
// need no change.
//
//	upgrade ──► Dialect.Accept ──► Session ◄── Open, Message, Closed (the engine's loop)
//	source ──► rooms.Sequencer ──► Dialect.Deliver ──► one frame for all clients of a group
//	                               Dialect.Gap: messages of a source may have been lost
//
// Each dialect is a package below this one. It makes no connection to a broker: what backends publish
// comes through the sources of rooms, in a format that the source knows (rooms.Source). It makes no
// decision about frames, limits or slow clients: those are the engine's.
package dialect
