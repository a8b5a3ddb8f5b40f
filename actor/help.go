package actor

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// helpWidth is the width of click's help without a terminal.
	helpWidth = 78
	// maxOptionColumn is the maximum width of click's column of options.
	maxOptionColumn = 30
)

// groupHelp returns the answer to the command help about the whole actor, line
// for line as click writes it.
func (a *Actor) groupHelp() []string {
	lines := []string{
		"Usage: " + a.name + " [OPTIONS] COMMAND [ARGS]...",
		"",
		"Options:",
		"  --help  Show this message and exit.",
		"",
		"Commands:",
	}
	names := make([]string, 0, len(a.handlers))
	longest := 0
	for name := range a.handlers {
		names = append(names, name)
		longest = max(longest, utf8.RuneCountInString(name))
	}
	slices.Sort(names)
	for _, name := range names {
		// click leaves room for three times its spacing of two.
		help := a.handlers[name].help.short(helpWidth - 6 - longest)
		pad := strings.Repeat(" ", longest-utf8.RuneCountInString(name))
		lines = append(lines, strings.TrimRight("  "+name+pad+"  "+help, " "))
	}
	return lines
}

// commandHelp returns the answer to the command help about one command.
func (a *Actor) commandHelp(h *handler) []string {
	lines := []string{"Usage: " + h.usage.line(a.name), ""}
	for _, paragraph := range h.help.paragraphs {
		lines = append(lines, wrap(paragraph, "  ", helpWidth)...)
		lines = append(lines, "")
	}
	if rows := h.argumentRows(); rows != nil {
		lines = append(append(append(lines, "Positional arguments:"), columns(rows)...), "")
	}
	return append(append(lines, "Options:"), columns(h.optionRows())...)
}

// helpRow is an argument or an option with the words that describe it.
type helpRow struct {
	name string
	help []string
}

// argumentRows returns the arguments, if at least one of them is described.
func (h *handler) argumentRows() (rows []helpRow) {
	described := false
	for i := range h.usage.params {
		p := &h.usage.params[i]
		words := h.help.options[p.name]
		described = described || words != nil
		rows = append(rows, helpRow{p.metavar(), words})
	}
	if !described {
		return nil
	}
	return rows
}

// optionRows returns the options, with their defaults and ranges.
func (h *handler) optionRows() (rows []helpRow) {
	for _, o := range h.usage.options {
		help := h.help.options[o.name]
		var extra []string
		if o.is.fallback != nil {
			extra = append(extra, "default: "+*o.is.fallback)
		}
		if o.is.ranged() {
			extra = append(extra, o.is.rangeText())
		}
		if o.required {
			extra = append(extra, "required")
		}
		if extra != nil {
			space := " " // after two spaces
			if help == nil {
				space = ""
			}
			help = append(slices.Clip(help), strings.Fields("["+strings.Join(extra, "; ")+"]")...)
			first := len(h.help.options[o.name])
			help[first] = space + help[first]
		}
		rows = append(rows, helpRow{strings.TrimSpace(o.name + " " + o.value), help})
	}
	return append(rows, helpRow{"--help", strings.Fields("Show this message and exit.")})
}

// columns lists arguments or options in click's layout: two columns, with a name that is too long
// for the first one on a line by itself.
func columns(rows []helpRow) []string {
	column := 0
	for _, r := range rows {
		column = max(column, utf8.RuneCountInString(r.name))
	}
	column = min(column, maxOptionColumn)
	indent := strings.Repeat(" ", 2+column+2)
	var lines []string
	for _, r := range rows {
		first := "  " + r.name
		if len(r.help) == 0 {
			lines = append(lines, first)
			continue
		}
		text := wrap(r.help, indent, helpWidth)
		if room := column - utf8.RuneCountInString(r.name); room >= 0 {
			text[0] = first + strings.Repeat(" ", room+2) + strings.TrimPrefix(text[0], indent)
		} else {
			lines = append(lines, first)
		}
		lines = append(lines, text...)
	}
	return lines
}

// help is the help text of a command.
type help struct {
	paragraphs [][]string          // as words
	options    map[string][]string // the words that describe each option and argument
}

// parseHelp splits a help text at its empty lines and takes out the descriptions of options and
// arguments: the lines that begin with one, and those that follow up to an empty line. An argument
// is followed by two spaces, so that a sentence may begin with its name.
func parseHelp(text string, u *usage) help {
	h := help{options: make(map[string][]string)}
	var paragraph []string
	current := "" // the option that is being described
	for line := range strings.Lines(text + "\n\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			if len(paragraph) > 0 {
				h.paragraphs = append(h.paragraphs, paragraph)
			}
			paragraph, current = nil, ""
			continue
		case u.option(words[0]) != nil || u.has(words[0]) && describes(line, words[0]):
			current, words = words[0], words[1:]
		}
		if current != "" {
			h.options[current] = append(h.options[current], words...)
			continue
		}
		paragraph = append(paragraph, words...)
	}
	return h
}

// describes reports whether a line is the description of an argument.
func describes(line, name string) bool {
	rest := strings.TrimPrefix(strings.TrimSpace(line), name)
	return strings.HasPrefix(rest, "  ") || strings.HasPrefix(rest, "\t")
}

// text returns the help text as a model has it: its paragraphs, or "".
func (h help) text() string {
	paragraphs := make([]string, len(h.paragraphs))
	for i, words := range h.paragraphs {
		paragraphs[i] = strings.Join(words, " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// wrap fills lines of the given width with words.
func wrap(words []string, indent string, width int) []string {
	var lines []string
	line := indent
	for _, w := range words {
		switch {
		case line == indent:
			line += strings.TrimLeft(w, " ")
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) <= width:
			line += " " + w
		default:
			lines = append(lines, line)
			line = indent + strings.TrimLeft(w, " ")
		}
	}
	return append(lines, line)
}

// short returns the first sentence, cut to the limit with an ellipsis if necessary.
func (h help) short(limit int) string {
	if len(h.paragraphs) == 0 {
		return ""
	}
	words := h.paragraphs[0]
	for i, w := range words {
		if strings.HasSuffix(w, ".") {
			words = words[:i+1]
			break
		}
	}
	short := strings.Join(words, " ")
	for n := len(words); utf8.RuneCountInString(short) > limit && n > 1; {
		n--
		short = strings.Join(words[:n], " ") + "..."
	}
	return short
}
