package model

import "strings"

// An actor describes all of its commands or none: if a default of one of them cannot be written as
// JSON, such as a path or a date, get-command-model fails. Its commands are then asked for one by one,
// and only of those that fail alone the help is read.

// eachModel reports whether the next command is asked for by get-command-model: the actor has that
// command, and it knows no paths.
func (a *asking) eachModel() bool {
	return a.each && !strings.Contains(a.todo[0], " ") && a.todo[0] != string(FromCommandModel)
}

// describesEach notes, when the names of the commands are known, that get-command-model is one of
// them, although its answer was of no use.
func (a *asking) describesEach() {
	a.each = findCommand(a.model.Commands, []string{string(FromCommandModel)}) != nil
}

// readOneModel reads the answer to get-command-model about one command. Without one, its help is read.
func (a *asking) readOneModel(got answer) {
	a.step = askCommandHelp
	name := a.todo[0]
	of := findCommand(a.model.Commands, []string{name})
	if !got.done || got.tooLarge || of == nil {
		a.notDescribed(name, got.reason)
		return
	}
	commands, left, err := ParseCommandModel(got.model)
	if err != nil || len(commands) != 1 {
		a.notDescribed(name, "its answer cannot be read")
		return
	}
	commands[0].Name = of.Name
	*of = commands[0]
	a.model.Source = FromCommandModel
	a.add(left)
	a.todo = a.todo[1:]
	a.asked++
	a.nextHelp()
}

// notDescribed tells of the first few commands that an actor cannot describe.
func (a *asking) notDescribed(name, reason string) {
	const told = 4
	if a.undescribed++; a.undescribed <= told {
		a.problem("The actor cannot describe its command %s%s; its help was read, instead.", name, because(reason))
	}
}
