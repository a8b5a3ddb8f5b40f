// Package asynclog writes a log to a reader that may stop reading, for a while or for good:
// a restarting journald, a terminal halted with Ctrl-S, a pipe into a program that hangs.
// The writers of the log must not wait for it.
//
//	Write ──► buffer, bounded ──► a goroutine while there is something to write ──► the reader
//	             │
//	             └─ full: lines are dropped, and a line says how many
package asynclog
