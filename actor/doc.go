// Package actor is what CLU says: message codes, commands, replies and the
// envelope in which a reply reaches a browser. It knows AMQP through amqpx and
// nothing of WebSockets.
//
// # The protocol in short
//
// Actors and their commanders meet on one topic exchange, [Exchange]. A
// commander publishes a [Command] to command.<consumer>; the actor of that name
// answers with any number of replies, each a [Reply], published to
// reply.<commander id>, where everybody can hear them:
//
//	commander                  exchange                      actor "dome"
//	   │ command.dome             │                               │
//	   ├─────────────────────────►├──────────────────────────────►│ open
//	   │                          │  reply.<commander>  >  {}     │ started
//	   │◄─────────────────────────┤◄──────────────────────────────┤
//	   │◄─────────────────────────┤◄───────────── i {"dome_...  ──┤ any number
//	   │◄─────────────────────────┤◄───────────── : {...}       ──┤ done
//
// What a reply's [Code] means for the command is in code.go. What CLU does with
// replies that break its rules was measured on CLU 2.6.1 and is in check.go.
//
// # What is here
//
// Pure functions first: [Code], [Command], [Reply], [Check], [Envelope]. On top
// of them, [Client] sends a command and follows it to its end, and [Actor]
// serves commands with CLU's built-in ones.
package actor
