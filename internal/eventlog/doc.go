// Package eventlog makes the bridge's logger. Each line has a stable name of what happened, so that a program that
// reads the log need not compare sentences, which are free to improve:
//
//	log.Info("linked to the broker") ── events.go: which event has this message? ──▶ event=link_up ── text or JSON
//
// events.go is the one place that names events. The packages that log know nothing of them: a test compares the table
// with every call of a logger in the source, and with docs/operating.md.
//
// If standard error is systemd's journal, lines of text have no time, which the journal adds itself, and each line
// begins with its priority, so that journalctl -p warning finds what it should (journal.go).
package eventlog
