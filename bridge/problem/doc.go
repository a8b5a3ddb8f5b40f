// Package problem knows what is wrong with each actor: what it said, what the site's conditions say of
// it, and that it is silent. It knows neither sockets nor AMQP, and its clock is injected.
//
//	reply ──► Note ──┬─ a warning, an error, an alarm ──► broadcast.go ─┐
//	                 ├─ values of keywords ──► condition.go ────────────┼──► the actor's problems ──► Of
//	                 └─ that the actor lives ──► silence.go ────────────┘          ▲      │
//	ack that a bridge published ──► Acked (ack.go) ────────────────────────────────┘      └──► Changed (notice.go)
//
// Everything comes from the exchange, acknowledgements included. A bridge that reads a stream's past
// at its start knows afterwards what it knew before, as far back as it reads: the last replies first,
// and those from further back once they are read (adopt.go). On an exchange, all bridges know the same.
//
// # What is a problem
//
// A broadcast with the code w is a warning, with e or f an error, and with ! critical. A broadcast is
// a reply without a command, one to a command that the actor gave itself (a timed command of CLU), or
// one that the actor sent to all (reply.broadcast) beside the commander. A w, e or f to a command is
// its commander's affair: an operator's typo raises nothing, and a failed command does not paint the
// actor red. A ! is critical even then.
//
// Each distinct text is a problem of its own, so that a lesser one never hides a worse. Texts with the
// same code that differ in measured values only ("gust 23.1 m/s") are one problem with the latest text,
// and an acknowledgement covers them all. Numbers that name things ("motor 3 stalled") are not values:
// one motor does not hide another (shape.go). If an actor has too many problems, the acknowledged, then
// the lesser ones go first; of equals, the oldest of those texts that differ in any numbers only. How
// many are not listed is told.
//
// A condition is raised when its expression has been true for its time, and ends when it is false. An
// actor is silent when it has said nothing for four times its rhythm, and five seconds at least, or
// when its queue of commands had a consumer and has none any more. No actor becomes silent while the
// bridge cannot hear: without a link, for as long again after it, and after a pause of the process. After
// an outage of the broker it has twenty seconds to connect again; what is said of it then names the outage.
//
// # How a problem ends
//
//   - A broadcast has no end of its own. Unless it is acknowledged, a warning is listed until it was
//     not said for an hour, an error for twelve hours, and an alarm for good. Once acknowledged, it is
//     listed, as acknowledged, until it was not said for ten minutes; saying it again within these
//     does not raise it anew.
//   - A condition that has ended without an acknowledgement is listed as ended, one level lighter,
//     until it is acknowledged, or for an hour. If it was acknowledged before, it goes when it ends. If it
//     holds again, it is raised anew. If all it tests is that numbers are beyond bounds, it is still
//     acknowledged within a minute of its end: a value that hovers about its limit does not announce
//     itself again and again.
//   - Silence ends as a condition does, but one of less than a minute leaves nothing behind.
//
// # Acknowledgements
//
// An acknowledgement names problems by their keys, and covers them as far as they were raised by the
// number up to which its operator had heard. What is raised later is not covered, and neither is the
// same text when it is said again more than ten minutes after the last time. Bridges that do not share
// a stream number replies differently; for these it covers what was raised before it arrived. One that
// comes before the reply that it covers is remembered. Of two, the first counts.
//
// Nothing else changes what is acknowledged: neither a page that is loaded again nor a bridge that
// starts again clears or revives anything.
package problem
