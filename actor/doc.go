// Package actor speaks CLU, the protocol of SDSS actors, on RabbitMQ: it is a library for
// writing actors and for sending them commands, and it converts replies to the form that
// browsers get. It uses AMQP through amqpx, and knows nothing of WebSockets.
//
// # The protocol in short
//
// Actors and their commanders meet on one topic exchange, [Exchange]. A commander publishes
// a [Command] to command.<consumer>. The actor with that name answers with any number of
// replies, each a [Reply], published to reply.<commander id>, where every client of the
// exchange can receive them:
//
//	commander                  exchange                      actor "dome"
//	   │ command.dome             │                               │
//	   ├─────────────────────────►├──────────────────────────────►│ open
//	   │                          │  reply.<commander>  >  {}     │ started
//	   │◄─────────────────────────┤◄──────────────────────────────┤
//	   │◄─────────────────────────┤◄───────────── i {"dome_...  ──┤ any number
//	   │◄─────────────────────────┤◄───────────── : {...}       ──┤ done
//
// A reply has a [Code], which says what it means for the command, and a body of [Keywords].
// The last reply to a command is done, failed or critical. A reply that answers no command
// is a broadcast.
//
// # Writing an actor
//
// [New] returns an [Actor] with CLU's own commands: ping, version, help,
// get_schema, get-command-model and keyword. [Actor.Handle] adds one, described by a usage line:
//
//	dome, err := actor.New(actor.Config{
//		Name: "dome",
//		Link: amqpx.Config{URLs: []string{"amqp://guest:guest@localhost:5672/"}},
//	})
//	...
//	dome.Handle("rotate AZ:float(0..<360) [--fast]", "Rotates to an azimuth in degrees.", rotate)
//	err = dome.Run(ctx)
//
// A command string goes through these steps (serve.go):
//
//	"rotate 90 --fast" ──► shlex ──► handler by name ──► arguments, options, types ──► func(ctx, *Call) error
//	                         │              │                       │
//	                         └──────────────┴───────────────────────┴──► UsageError, in the words of click
//
// The handler reads arguments with [Call.Float], [Call.Int], [Call.Arg] and
// [Call.Flag], replies with [Call.Info] and its siblings, and ends the command with
// [Call.Finish], or by returning an error. Each command runs in its own goroutine.
//
// What the usage lines, the help texts and [Config].Schema say of commands and keywords, every
// client can ask for, as of CLU's actors: get-command-model (commandmodel.go) and get_schema.
//
// # Commanding an actor
//
// [NewClient] returns a [Client], which is linked while [Client.Run] runs.
// [Client.Send] sends a command, and returns a [Pending] that is followed to its
// end:
//
//	go client.Run(ctx)
//	err = client.Ready(ctx)
//	...
//	p, err := client.Send(ctx, "dome", "rotate 90", actor.SendOptions{})
//	...
//	for r := range p.Replies(ctx) { ... }
//	result, err := p.Wait(ctx)
//
// A command ends with the actor's last reply, or because there will be none: the
// broker returned it, or it was not sent. It also ends if its fate is unknown: the
// broker did not confirm it, the link broke, or the context of Send ended. [Status]
// says which, and [CommandError] why. A client whose configuration has OnReply
// receives every reply on the exchange.
//
// # Replies for browsers
//
// [Envelope] writes a delivery in the form in which CLU's WebSocket server sends it.
// Messages that CLU would not pass on are dropped; [DropReason] says why. The rules were
// measured on CLU 2.6.1.
package actor
