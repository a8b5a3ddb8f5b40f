package model

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// asking is the conversation with one actor, a question at a time:
//
//	get-command-model ──failed──► __commands ──failed──► help
//	      │                           │                   │
//	      │ done                      └──► help NAME ... ◄┘
//	      ▼                                  │
//	get_schema ◄─────────────────────────────┘
//
// In place of help NAME it asks get-command-model NAME first if the actor has that command
// (asking_each.go).
type asking struct {
	model    Model
	step     step
	todo     []string // paths of the commands whose help is still to be read
	asked    int      // how many commands' help was asked for
	each     bool     // the actor can be asked to describe one command
	problems []string

	undescribed int // commands that it did not describe
}

// step is the question that an actor is being asked.
type step uint8

const (
	askModel step = iota
	askNames
	askHelp
	askOneModel
	askCommandHelp
	askSchema
	askNothing
)

// answer is the whole answer to a question.
type answer struct {
	done     bool            // the command was done
	reason   string          // why it failed
	tooLarge bool            // a reply was too large to be read
	model    json.RawMessage // the keyword command_model
	schema   json.RawMessage // the keyword schema
	help     []string        // the lines of the keyword help, of all replies
}

// question returns the command string of the next question; "" at the end.
func (a *asking) question() string {
	switch a.step {
	case askModel:
		return string(FromCommandModel)
	case askNames:
		return string(FromCommands)
	case askHelp:
		return string(FromHelp)
	case askOneModel:
		return string(FromCommandModel) + " " + a.todo[0]
	case askCommandHelp:
		return string(FromHelp) + " " + a.todo[0]
	case askSchema:
		return "get_schema"
	}
	return ""
}

// answered takes the answer to the question, and goes on to the next one.
func (a *asking) answered(got answer) {
	switch a.step {
	case askModel:
		a.readModel(got)
	case askNames:
		a.readNames(got)
	case askHelp:
		a.readHelp(got)
	case askOneModel:
		a.readOneModel(got)
	case askCommandHelp:
		a.readCommandHelp(got)
	case askSchema:
		a.readSchema(got)
	}
}

// readModel reads the answer to get-command-model.
func (a *asking) readModel(got answer) {
	a.step = askNames
	if !got.done {
		return // an older actor
	}
	if got.tooLarge {
		a.problem("The actor's command model is longer than %d bytes, and was not read; its help was, instead.", maxAnswer)
		return
	}
	commands, left, err := ParseCommandModel(got.model)
	if err != nil {
		a.problem("The actor's answer to get-command-model cannot be read: %v; its help was read, instead.", err)
		return
	}
	a.model.Commands, a.model.Source, a.step = commands, FromCommandModel, askSchema
	a.add(left)
}

// readNames reads the answer to __commands, the names of the commands.
func (a *asking) readNames(got answer) {
	a.step = askHelp
	if !got.done || len(got.help) == 0 {
		return
	}
	for _, name := range got.help {
		if name = strings.TrimSpace(name); !isCommandName(name) || len(a.model.Commands) == maxCommands {
			a.model.Commands = nil
			return // it is no list of names
		}
		a.model.Commands = append(a.model.Commands, Command{Name: name, Params: []Param{}, Unread: true})
	}
	a.model.Source = FromCommands
	a.readEach()
}

// isCommandName reports whether a text may be the name of a command: one word, which help can be
// asked about.
func isCommandName(name string) bool {
	return name != "" && len(name) <= maxWordBytes && !strings.ContainsAny(name, " \t\"'\\") && name[0] != '-'
}

// readHelp reads the answer to help, the names of the commands and a line about each.
func (a *asking) readHelp(got answer) {
	a.step = askSchema
	commands, ok := parseHelp(got.help)
	switch {
	case !got.done || len(got.help) == 0:
		a.problem("The actor answers neither get-command-model nor __commands nor help%s; its commands are not known.", because(got.reason))
	case !ok:
		a.problem("The actor's help is not laid out as click does it; its commands are not known.")
	default:
		a.model.Commands, a.model.Source = commands, FromHelp
		a.readEach()
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimRight(reason, ".") + ")"
}

// readEach goes on to the help of each command.
func (a *asking) readEach() {
	for _, c := range a.model.Commands {
		if isCommandName(c.Name) {
			a.todo = append(a.todo, c.Name)
		}
	}
	a.describesEach()
	a.nextHelp()
}

// nextHelp goes on to the help of the next command, or to the schema.
func (a *asking) nextHelp() {
	a.step = askCommandHelp
	if len(a.todo) == 0 {
		a.step = askSchema
	} else if a.asked == maxHelpAsked {
		a.step = askSchema
		a.problem("The actor has more than %d commands; of the others only the names are known.", maxHelpAsked)
		a.todo = nil
	} else if a.eachModel() {
		a.step = askOneModel
	}
}

// readCommandHelp reads the answer to help about one command. A group adds its commands to those
// that are to be read.
func (a *asking) readCommandHelp(got answer) {
	path := a.todo[0]
	a.todo = a.todo[1:]
	a.asked++
	defer a.nextHelp()
	of := findCommand(a.model.Commands, strings.Fields(path))
	if !got.done || len(got.help) == 0 || of == nil {
		return // only its name is known
	}
	read, group := parseCommandHelp(path, got.help)
	if read.Help == "" {
		read.Help = of.Help
	}
	read.Name = of.Name
	*of = read
	if !group || strings.Count(path, " ") >= maxDepth {
		return
	}
	for _, c := range read.Commands {
		if isCommandName(c.Name) {
			a.todo = append(a.todo, path+" "+c.Name)
		}
	}
}

// findCommand returns the command at a path, or nil.
func findCommand(commands []Command, path []string) *Command {
	for i := range commands {
		if c := &commands[i]; c.Name == path[0] {
			if len(path) == 1 {
				return c
			}
			return findCommand(c.Commands, path[1:])
		}
	}
	return nil
}

// readSchema reads the answer to get_schema.
func (a *asking) readSchema(got answer) {
	a.step = askNothing
	switch {
	case !got.done:
		a.problem("The actor has no schema%s; its keywords are known only by what it replies.", because(got.reason))
		return
	case got.tooLarge:
		a.problem("The actor's schema is longer than %d bytes, and was not read.", maxAnswer)
		return
	}
	keywords, left, err := ParseSchema(got.schema)
	if err != nil {
		a.problem("The actor's answer to get_schema cannot be read: %v.", err)
		return
	}
	a.model.Keywords, a.model.Schema = keywords, true
	a.add(left)
}

// end ends the conversation, for a reason if it ends before its time.
func (a *asking) end(reason string) {
	a.step = askNothing
	a.add(reason)
}

func (a *asking) problem(format string, args ...any) { a.add(fmt.Sprintf(format, args...)) }

func (a *asking) add(problem string) {
	if problem != "" {
		a.problems = append(a.problems, text(problem, maxTextBytes))
	}
}

// result returns the model as far as it is known. Commands that are still being read are copied.
func (a *asking) result() *Model {
	m := a.model
	m.Commands = copyCommands(m.Commands)
	m.Problem = strings.Join(a.problems, " ")
	switch commands := m.Source != ""; {
	case a.step != askNothing:
		m.State = Asking
	case commands && m.Schema:
		m.State = Known
	case commands || m.Schema:
		m.State = Partial
	default:
		m.State = None
	}
	m.size = sizeOf(&m)
	return &m
}

func copyCommands(commands []Command) []Command {
	if commands == nil {
		return nil
	}
	dup := append([]Command{}, commands...)
	for i := range dup {
		dup[i].Commands = copyCommands(dup[i].Commands)
	}
	return dup
}

// read adds a reply to the answer. The body is a JSON object; its memory is copied.
func (got *answer) read(body []byte, room int) {
	if len(body) > room {
		got.tooLarge = true
		return
	}
	members := jsonscan.MembersOf(body)
	for {
		name, value, ok := members.Next()
		if !ok {
			return
		}
		switch string(name) {
		case "command_model":
			got.model = append(json.RawMessage(nil), value...)
		case "schema":
			got.schema = append(json.RawMessage(nil), value...)
		case "help":
			got.help = append(got.help, helpLines(value)...)
		case "error":
			got.reason = errorText(value)
		}
	}
}

// helpLines returns the lines of the keyword help: a list, or a text.
func helpLines(raw json.RawMessage) (lines []string) {
	if json.Unmarshal(raw, &lines) == nil {
		return lines
	}
	var one string
	if json.Unmarshal(raw, &one) != nil {
		return nil
	}
	return strings.Split(one, "\n")
}

// errorText returns the text of the keyword error, cut to a sentence's length.
func errorText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return text(s, maxWordBytes)
}
