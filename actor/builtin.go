package actor

import (
	"context"
	"strings"
)

// addBuiltins gives an actor the commands that every CLU actor has, with CLU's
// words (clu.parsers.click).
func (a *Actor) addBuiltins() {
	a.Handle("ping", "Pings the actor.", a.ping)
	a.Handle("version", "Reports the version.", a.reportVersion)
	a.Handle("help [PARSER-COMMAND]", "Shows the help.", a.help)
	a.Handle("get_schema", "Returns the schema of the actor as a JSON schema.", a.getSchema)
	a.Handle("get-command-model [COMMAND-NAME]", "Returns a dictionary representation of the command using ``unclick``.", a.getCommandModel)
	a.Handle("keyword KEYWORD", "Prints human-readable information about a keyword.", a.describeKeyword)
}

func (a *Actor) ping(_ context.Context, c *Call) error {
	c.Finish(Keywords{"text": "Pong."})
	return nil
}

func (a *Actor) reportVersion(_ context.Context, c *Call) error {
	c.Finish(Keywords{"version": a.version})
	return nil
}

func (a *Actor) help(_ context.Context, c *Call) error {
	text, _ := c.Arg("PARSER-COMMAND")
	names := strings.Fields(text)
	if len(names) == 0 {
		c.Finish(Keywords{"help": a.groupHelp()})
		return nil
	}
	h, ok := a.handlers[names[0]]
	switch {
	case !ok:
		c.Fail("command " + names[0] + " not found.")
	case len(names) > 1:
		// A command has no subcommands.
		c.Fail("command " + names[1] + " not found.")
	default:
		c.Finish(Keywords{"help": a.commandHelp(h)})
	}
	return nil
}

func (a *Actor) getSchema(_ context.Context, c *Call) error {
	if a.schema == nil {
		c.Fail("The actor does not know its own schema.")
		return nil
	}
	c.Finish(Keywords{"schema": a.schema.text})
	return nil
}

func (a *Actor) describeKeyword(_ context.Context, c *Call) error {
	name := c.Args[0]
	if a.schema == nil {
		c.Fail("Actor does not have a data model.")
		return nil
	}
	if _, ok := a.schema.properties[name]; !ok {
		c.Fail("Keyword " + pythonRepr(name) + " is not part of the data model.")
		return nil
	}
	for _, line := range a.schema.describe(name) {
		c.Info(Keywords{"text": line})
	}
	return nil
}
