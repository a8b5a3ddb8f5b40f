// Package audit keeps the record of who did what: clients that entered, what was refused, each command
// and how it ended, changed grants, closed connections, reloaded configurations. It knows
// neither sockets nor AMQP.
//
//	Entered, Refused, ... ──► a row of JSON ──► queue, bounded ──► a goroutine while there is
//	something to write ──► a file, standard output or syslog ──► the command's callback
//
// An event (event.go) becomes a row (row.go) at once, so that nothing of it changes later. The
// queue (queue.go) is written in order by one goroutine (write.go), so that no loop waits for a
// disk. A sink (sink.go, syslog.go) is what the rows are written to; Reopen replaces it after
// its file was rotated.
//
// A row that cannot be written is lost. It is counted, the log says so at a limited rate, and
// the first row that can be written again is followed by one with the number of lost rows. If
// the log is required, the callback of a command gets the error instead, and the command must
// not go out. A row counts as written when write(2) has taken it whole: it outlives a crash of
// the program, but not of the machine.
//
// Refusals (refusals.go) beyond a number are counted instead, so that refused clients cannot
// fill the disk.
//
// No event has a field for a credential, and rows have no control characters, so that what a
// client sends can neither begin another row nor drive a terminal.
package audit
