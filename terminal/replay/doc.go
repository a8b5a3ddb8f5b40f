// Package replay publishes the replies of a recording again, at the pace at which they were heard or faster, for pages
// and programs that are to be tried with what happened in a night.
//
// It publishes to an embedded broker only: replies of last night in the exchange of an observatory would be taken for
// what is now. It never publishes a command, so that no actor that is connected to that broker moves. The ids of commands
// and commanders stay as they were.
//
//	replay.go   a recording to the broker, by the clock
//	message.go  an envelope back to the message that it was
package replay
