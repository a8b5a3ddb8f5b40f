package access

import (
	"fmt"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Door is what a client wants to do, beside hearing replies.
type Door int

// The doors.
const (
	// SendCommand sends a command to a consumer.
	SendCommand Door = iota
	// EnterRoom hears the messages of a room, on a connection of its own or by a subscription.
	EnterRoom
	// PublishToRoom publishes a message to a room.
	PublishToRoom
	// Acknowledge acknowledges the problems of an actor.
	Acknowledge
	// ListClients lists the connected clients.
	ListClients
	// Administer closes connections, reads profiles and hears notices of the broker in full.
	Administer
)

// Request is what a client wants to do.
type Request struct {
	Door
	Consumer      string // of a command; the actor whose problems are acknowledged
	CommandString string // of a command
	Room          string // clean path of a room
}

// Decision is the answer to a request.
type Decision struct {
	Allowed bool
	// Rule is the rule that decided, for the audit log, such as "observer: command[0]".
	Rule string
	// Reason says why it is refused, in a whole sentence for the client.
	Reason string
}

// Decide decides whether a principal may do something. A nil principal may do everything: then
// there is no access control. A principal without grants may do nothing.
func (p *Principal) Decide(r Request) Decision {
	if p == nil {
		return Decision{Allowed: true}
	}
	g := p.Grants
	if g == nil {
		g = &Grants{}
	}
	switch r.Door {
	case SendCommand:
		return p.decideCommand(g, r.Consumer, r.CommandString)
	case Acknowledge:
		return p.decideAcknowledge(g, r.Consumer)
	case EnterRoom:
		return p.decideRoom("rooms", g.rooms, r.Room, "hear", g.allowed.rooms)
	case PublishToRoom:
		return p.decideRoom("publish", g.publish, r.Room, "publish to", g.allowed.publish)
	case ListClients:
		return p.decideFlag("clients", g.Clients, "you may not list the connected clients")
	case Administer:
		return p.decideFlag("admin", g.Admin, "you may not administer this bridge")
	}
	return p.decision(false, "unknown", "this request is not known, so it is not granted")
}

// decision returns a decision. The rule is the place in the grants.
func (p *Principal) decision(allowed bool, rule, reason string) Decision {
	from := p.Role
	if from == "" {
		from = "grants"
	}
	d := Decision{Allowed: allowed, Rule: from + ": " + rule}
	if !allowed {
		d.Reason = reason
	}
	return d
}

func (p *Principal) decideFlag(key string, granted bool, reason string) Decision {
	return p.decision(granted, key, reason+"; "+p.whoseGrants()+" must have "+key+": true")
}

func (p *Principal) decideRoom(key string, patterns []roomPattern, room, verb, allowed string) Decision {
	for i := range patterns {
		if patterns[i].match(room) {
			return p.decision(true, fmt.Sprintf("%s[%d]", key, i), "")
		}
	}
	if allowed == "" {
		allowed = "no room"
	}
	return p.decision(false, "no "+key, fmt.Sprintf("you may not %s the room %s; %s may %s %s", verb, quote.Text(room), p.whose(), verb, allowed))
}

func (p *Principal) decideCommand(g *Grants, consumer, commandString string) Decision {
	verb, known := Verb(commandString)
	for i := range g.forbid {
		if g.forbid[i].forbids(consumer, verb, known) {
			return p.decision(false, fmt.Sprintf("forbid[%d]", i), p.refusal(g, consumer, verb, known))
		}
	}
	for i := range g.command {
		if g.command[i].allows(consumer, verb, known) {
			return p.decision(true, fmt.Sprintf("command[%d]", i), "")
		}
	}
	return p.decision(false, "no command", p.refusal(g, consumer, verb, known))
}

// decideAcknowledge decides whether a principal may acknowledge an actor's problems: whoever may
// send the actor a command may.
func (p *Principal) decideAcknowledge(g *Grants, actor string) Decision {
	for i := range g.forbid {
		if g.forbid[i].verb == nil && g.forbid[i].forbids(actor, "", true) {
			return p.decision(false, fmt.Sprintf("forbid[%d]", i), p.refusalToAcknowledge(g, actor))
		}
	}
	for i := range g.command {
		if c := g.command[i].consumer; c == nil || c.Match(actor) {
			return p.decision(true, fmt.Sprintf("command[%d]", i), "")
		}
	}
	return p.decision(false, "no command", p.refusalToAcknowledge(g, actor))
}

func (p *Principal) refusalToAcknowledge(g *Grants, actor string) string {
	allowed := "send no commands"
	if g.allowed.commands != "" {
		allowed = "command " + g.allowed.commands
	}
	return fmt.Sprintf("you may not acknowledge problems of %s, which takes a grant to command it; %s may %s", printable(actor), p.whose(), allowed)
}

// refusal says that a command is refused, and what is allowed.
func (p *Principal) refusal(g *Grants, consumer, verb string, known bool) string {
	what := quote.Text(verb)
	if !known {
		what = "a command that does not begin with a plain word"
	}
	allowed := "send no commands"
	if g.allowed.commands != "" {
		allowed = "command " + g.allowed.commands
	}
	text := fmt.Sprintf("you may not send %s to %s; %s may %s", what, printable(consumer), p.whose(), allowed)
	if !known {
		text += "; begin the command with its verb, without quotes or blanks before it"
	}
	return text
}

// whose says whose grants these are.
func (p *Principal) whose() string {
	if p.Role == "" {
		return "you"
	}
	return "your role " + p.Role
}

// whoseGrants says which grants these are.
func (p *Principal) whoseGrants() string {
	if p.Role == "" {
		return "your grants"
	}
	return "your role " + p.Role
}

// printable returns a text as it is if it is short and plain, and otherwise in quotes.
func printable(text string) string {
	if quoted := quote.Text(text); text == "" || quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
