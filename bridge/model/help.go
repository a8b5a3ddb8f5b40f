package model

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// The help of an actor is the text that click writes for people, a line each:
//
//	Usage: dome move [OPTIONS] {north|south|both} [ANGLE]
//
//	  Moves a shutter.
//
//	Options:
//	  -s, --speed FLOAT  Degrees a second.  [default: 1.5]
//	  --force            Move although the wind is high.
//	  --help             Show this message and exit.

// helpParts are the sections of a help text.
type helpParts struct {
	usage    []string // words after the actor's and the command's name
	text     string
	args     []helpRow // since click 8.5, if one of them is described
	options  []helpRow
	commands []helpRow
}

// helpRow is a row of click's two columns.
type helpRow struct{ name, help string }

// parseHelp reads the answer to help about a whole actor, or a group of commands: the names, and
// a line about each. ok is false if the lines are not click's list of commands.
func parseHelp(lines []string) (commands []Command, ok bool) {
	parts := readHelp(lines)
	for _, row := range parts.commands {
		if len(commands) == maxCommands {
			break
		}
		c := Command{Name: text(row.name, maxWordBytes), Params: []Param{}, Unread: true}
		c.Help, c.Deprecated = cutDeprecated(text(row.help, maxTextBytes))
		commands = append(commands, c)
	}
	return commands, len(commands) > 0
}

// parseCommandHelp reads the answer to help about one command into its description. path is the
// command's name, with those of its groups before it. group reports whether it is a group of
// commands, which are read from the same text.
func parseCommandHelp(path string, lines []string) (c Command, group bool) {
	parts := readHelp(lines)
	names := strings.Fields(path)
	c = Command{Name: names[len(names)-1], Help: text(parts.text, maxTextBytes), Params: []Param{}}
	words := parts.usage
	if len(words) > len(names) { // the actor's name is first
		words = words[1+len(names):]
	}
	c.Help, c.Deprecated = cutDeprecated(c.Help)
	if group = len(parts.commands) > 0; group {
		c.Commands, _ = parseHelp(lines)
		words = nil // of its arguments, the usage says COMMAND [ARGS]...
	}
	for _, w := range words {
		if w != "[OPTIONS]" && len(c.Params) < maxParams {
			c.Params = append(c.Params, usageArgument(w, parts.args))
		}
	}
	for _, row := range parts.options {
		if p, ok := helpOption(row); ok && len(c.Params) < maxParams {
			c.Params = append(c.Params, p)
		}
	}
	return c, group
}

// deprecatedText matches what click writes at the end of the help of what is deprecated.
var deprecatedText = regexp.MustCompile(`\s*\(DEPRECATED(?:: [^()]*)?\)$`)

// cutDeprecated takes click's mark of what is deprecated out of a help text.
func cutDeprecated(help string) (rest string, deprecated bool) {
	m := deprecatedText.FindString(help)
	return strings.TrimSuffix(help, m), m != ""
}

// readHelp splits a help text at its headings.
func readHelp(lines []string) (parts helpParts) {
	var paragraphs []string
	section := "text"
	for i := 0; i < len(lines) && i < 10*maxCommands; i++ {
		line := text(lines[i], maxTextBytes)
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "Usage:"):
			section = "usage"
			parts.usage = strings.Fields(strings.TrimPrefix(line, "Usage:"))
		case line == "Options:" || line == "Commands:" || line == "Positional arguments:":
			section = strings.ToLower(strings.TrimSuffix(line, ":"))
		case trimmed == "":
			if section == "usage" {
				section = "text"
			} else if section == "text" && len(paragraphs) > 0 {
				paragraphs = append(paragraphs, "")
			}
		case section == "usage": // click wraps a long usage
			parts.usage = append(parts.usage, strings.Fields(line)...)
		case section == "text":
			paragraphs = append(paragraphs, trimmed)
		case section == "positional arguments":
			parts.args = addRow(parts.args, line)
		case section == "options":
			parts.options = addRow(parts.options, line)
		case section == "commands":
			parts.commands = addRow(parts.commands, line)
		}
	}
	parts.text = strings.TrimSpace(strings.Join(paragraphs, "\n"))
	return parts
}

// addRow adds a line of click's two columns: a row, or more of the last one's help.
func addRow(rows []helpRow, line string) []helpRow {
	if rest, ok := strings.CutPrefix(line, "  "); ok && rest != "" && rest[0] != ' ' {
		name, help, _ := strings.Cut(rest, "  ")
		return append(rows, helpRow{strings.TrimSpace(name), strings.TrimSpace(help)})
	}
	if len(rows) > 0 {
		last := &rows[len(rows)-1]
		last.help = strings.TrimSpace(last.help + " " + strings.TrimSpace(line))
	}
	return rows
}

// usageArgument returns the argument that a word of the usage describes: NAME, [NAME], NAME...,
// or its choices, {north|south}. rows may describe it.
func usageArgument(word string, rows []helpRow) Param {
	p := Param{Kind: Argument, Type: "other", Required: true, Nargs: 1, Default: json.RawMessage("null")}
	for _, row := range rows {
		if row.name == word {
			p.Help = text(row.help, maxTextBytes)
		}
	}
	if inner, ok := strings.CutSuffix(word, "..."); ok {
		word, p.Nargs = inner, -1
	}
	if strings.HasPrefix(word, "[") && strings.HasSuffix(word, "]") {
		word, p.Required = word[1:len(word)-1], false
		if inner, ok := strings.CutSuffix(word, "..."); ok {
			word, p.Nargs = inner, -1
		}
	}
	p.Opts = []string{text(word, maxWordBytes)}
	p.Name = strings.ToLower(text(word, maxWordBytes))
	if !p.Required && strings.Contains(word, "|") {
		word = "[" + word + "]"
	}
	p.setChoices(word)
	p.takeUnit()
	return p
}

// setChoices reads choices as click writes them, {a|b} for an argument and [a|b] for an option.
func (p *Param) setChoices(word string) {
	if len(word) < 3 || !strings.ContainsAny(word[:1], "{[") || !strings.Contains(word, "|") || len(word) > maxTextBytes {
		return
	}
	choices := strings.Split(word[1:len(word)-1], "|")
	switch {
	case strings.HasPrefix(choices[0], "%"): // the forms of a time
		p.Type = "datetime"
	case len(choices) <= maxWords:
		p.Type, p.Choices = "choice", choices
	}
}

// metavars are click's names for the values of options, in the words of [Param.Type].
var metavars = map[string]string{
	"TEXT": "text", "INTEGER": "int", "FLOAT": "float", "BOOLEAN": "bool", "PATH": "path", "FILE": "path", "FILENAME": "path",
	"DIRECTORY": "path", "UUID": "uuid", "INTEGER RANGE": "int", "FLOAT RANGE": "float",
}

// What click writes at the end of an option's help.
var (
	extras     = regexp.MustCompile(`\s*\[([^\[\]]*)\]$`)
	rangeText  = regexp.MustCompile(`^(?:(-?[0-9.e+-]+)(<=?))?x(?:(<=?|>=?)(-?[0-9.e+-]+))?$`)
	optionName = regexp.MustCompile(`^--?[A-Za-z0-9][A-Za-z0-9_-]*$`)
)

// helpOption reads a row of the options. ok is false for --help, and for what is no option.
func helpOption(row helpRow) (p Param, ok bool) {
	p = Param{Kind: Option, Type: "bool", Nargs: 1, Flag: true, Default: json.RawMessage("null")}
	names, off, paired := strings.Cut(row.name, " / ")
	rest := ""
	for word := range strings.SplitSeq(names, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(word), " ")
		if !optionName.MatchString(name) {
			return p, false
		}
		p.Opts, rest = append(p.Opts, name), strings.TrimSpace(value)
	}
	if p.Opts[len(p.Opts)-1] == "--help" {
		return p, false
	}
	if paired {
		p.OffOpts = []string{text(strings.TrimSpace(off), maxWordBytes)}
	}
	p.Name = longestName(p.Opts)
	if rest != "" {
		p.setValue(rest)
	}
	p.setHelp(row.help)
	return p, true
}

// setValue sets what an option takes: FLOAT, [a|b], FLOAT... of some words, <TEXT INTEGER>... of two.
func (p *Param) setValue(word string) {
	p.Flag, p.Type = false, "other"
	if inner, ok := strings.CutSuffix(word, "..."); ok {
		word, p.Nargs = inner, -1
		if strings.HasPrefix(word, "<") && strings.HasSuffix(word, ">") && !strings.Contains(word, " RANGE") {
			p.Nargs = len(strings.Fields(word))
		}
	}
	if known, ok := metavars[word]; ok {
		p.Type = known
	}
	p.setChoices(word)
}

// longestName returns the name by which click hands over an option.
func longestName(opts []string) string {
	longest := ""
	for _, o := range opts {
		if len(o) > len(longest) {
			longest = o
		}
	}
	return text(strings.ReplaceAll(strings.TrimLeft(longest, "-"), "-", "_"), maxWordBytes)
}

// setHelp sets the help of an option, and reads what click adds to it: [default: 1.5; 0<=x<=90;
// required].
func (p *Param) setHelp(help string) {
	defer p.takeUnit()
	m := extras.FindStringSubmatch(help)
	if m == nil {
		p.Help = text(help, maxTextBytes)
		return
	}
	understood := false
	for extra := range strings.SplitSeq(m[1], ";") {
		extra = strings.TrimSpace(extra)
		switch bounds := rangeText.FindStringSubmatch(extra); {
		case extra == "required":
			p.Required, understood = true, true
		case strings.HasPrefix(extra, "default: "):
			p.Default, understood = defaultOf(p.Type, strings.TrimPrefix(extra, "default: ")), true
		case bounds != nil && extra != "x":
			p.setRange(bounds)
			understood = true
		}
	}
	if understood {
		help = strings.TrimSuffix(help, m[0])
	}
	p.Help = text(strings.TrimSpace(help), maxTextBytes)
}

// setRange sets a range as click writes it: 0<=x<=90, x>=0, x<5.
func (p *Param) setRange(m []string) {
	if m[1] != "" {
		p.Min, p.MinOpen = number(json.RawMessage(m[1])), m[2] == "<"
	}
	switch {
	case strings.HasPrefix(m[3], "<"):
		p.Max, p.MaxOpen = number(json.RawMessage(m[4])), m[3] == "<"
	case strings.HasPrefix(m[3], ">"):
		p.Min, p.MinOpen = number(json.RawMessage(m[4])), m[3] == ">"
	}
}

// defaultOf returns a default that is written for people as JSON.
func defaultOf(kind, written string) json.RawMessage {
	if f, err := strconv.ParseFloat(written, 64); err == nil && (kind == "int" || kind == "float") && json.Valid([]byte(written)) && f == f {
		return json.RawMessage(written)
	}
	quoted, err := json.Marshal(text(written, maxValueBytes))
	if err != nil {
		return json.RawMessage("null")
	}
	return quoted
}
