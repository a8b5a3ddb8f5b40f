package model

import (
	"encoding/json"
	"time"
)

// State says how much of a model is known.
type State string

// The states of a model.
const (
	Known   State = "known"   // commands and keywords
	Partial State = "partial" // one of the two, or not all of them
	None    State = "none"    // nothing
	Asking  State = "asking"  // the actor is being asked; what is known so far is there
)

// Source is the command whose answer brought the commands of a model.
type Source string

// The sources of commands.
const (
	FromCommandModel Source = "get-command-model"
	FromCommands     Source = "__commands"
	FromHelp         Source = "help"
)

// Model is what an actor tells of itself. It does not change once it is handed out.
type Model struct {
	Actor string
	State State
	// Asked is when the actor was first asked for this model.
	Asked time.Time
	// Source is where the commands come from; "" if there are none.
	Source   Source
	Commands []Command
	Keywords map[string]Keyword
	// Schema reports whether the actor has answered with a schema. Only then is a keyword that is
	// missing from Keywords not part of it.
	Schema bool
	// Problem is a sentence that says why something is missing, or "".
	Problem string

	size int // what it takes in memory, roughly, in bytes
}

// Command is one command of an actor, or a group of them.
type Command struct {
	Name       string    `json:"name"`
	Help       string    `json:"help"`
	Deprecated bool      `json:"deprecated"`
	Hidden     bool      `json:"hidden,omitempty"` // not listed in the help
	Params     []Param   `json:"params"`
	Commands   []Command `json:"commands,omitempty"` // of a group
	// Unread reports that only the name and a line of help are known, not the parameters.
	Unread bool `json:"unread,omitempty"`
}

// Param is a parameter of a command, as click describes it.
type Param struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // argument or option
	// Opts are the names by which an option is given, such as --speed and -s. An argument's is
	// the name in the usage line.
	Opts []string `json:"opts"`
	// OffOpts turn off a flag that has two forms, such as --no-track.
	OffOpts []string `json:"off_opts,omitempty"`
	// Type is choice, float, int, text, bool, path, datetime, uuid or other.
	Type    string   `json:"type"`
	Choices []string `json:"choices,omitempty"`
	// Min and Max bound a number; nil is no bound. An open bound is not itself allowed.
	Min      *json.Number `json:"min,omitempty"`
	Max      *json.Number `json:"max,omitempty"`
	MinOpen  bool         `json:"min_open,omitempty"`
	MaxOpen  bool         `json:"max_open,omitempty"`
	Required bool         `json:"required"`
	// Nargs is how many words it takes; -1 is any number.
	Nargs int `json:"nargs"`
	// Multiple is set for an option that may be given several times.
	Multiple bool            `json:"multiple"`
	Default  json.RawMessage `json:"default"` // null if there is none
	// Flag is set for an option without a value.
	Flag bool `json:"flag"`
	// Count is set for a flag that counts how often it is given.
	Count  bool   `json:"count"`
	Hidden bool   `json:"hidden,omitempty"`
	Help   string `json:"help"`
	// Unit is what stands in brackets at the end of the help, as in "Where to. [deg]".
	Unit string `json:"unit,omitempty"`
}

// The kinds of parameters.
const (
	Argument = "argument"
	Option   = "option"
)

// Keyword describes a keyword, a member of one, or the items of a list.
type Keyword struct {
	// Type is number, integer, string, boolean, array, object, or any if the schema allows
	// several.
	Type string `json:"type"`
	// Nullable is set if the schema allows null beside the type.
	Nullable bool `json:"nullable,omitempty"`
	// Unit is the unit, and UnitFrom where it comes from: schema, site or suffix. Both are ""
	// if the unit is unknown.
	Unit        string            `json:"unit,omitempty"`
	UnitFrom    string            `json:"unit_from,omitempty"`
	Description string            `json:"description,omitempty"`
	Min         *json.Number      `json:"min,omitempty"`
	Max         *json.Number      `json:"max,omitempty"`
	Enum        []json.RawMessage `json:"enum,omitempty"`
	// Members are those of an object, by name.
	Members map[string]Keyword `json:"members,omitempty"`
	// Items describes the items of a list.
	Items *Keyword `json:"items,omitempty"`
}

// Where a unit comes from.
const (
	fromSchema = "schema"
	fromSite   = "site"
	fromSuffix = "suffix"
)
