package actor

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// helpWidth is how wide click writes help where there is no terminal.
const helpWidth = 78

// groupHelp is what the command help says about the whole actor, line for line
// as click writes it.
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
		help := shortHelp(a.handlers[name].help, helpWidth-6-longest)
		pad := strings.Repeat(" ", longest-utf8.RuneCountInString(name))
		lines = append(lines, strings.TrimRight("  "+name+pad+"  "+help, " "))
	}
	return lines
}

// commandHelp is what the command help says about one command.
func (a *Actor) commandHelp(h *handler) []string {
	lines := []string{"Usage: " + h.usage.line(a.name), ""}
	for _, paragraph := range paragraphs(h.help) {
		lines = append(lines, wrap(paragraph, "  ", helpWidth)...)
		lines = append(lines, "")
	}
	return append(lines, "Options:", "  --help  Show this message and exit.")
}

// paragraphs splits a help text at its empty lines.
func paragraphs(text string) [][]string {
	var all [][]string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if words := strings.Fields(paragraph); len(words) > 0 {
			all = append(all, words)
		}
	}
	return all
}

// wrap fills lines of a width with words.
func wrap(words []string, indent string, width int) []string {
	var lines []string
	line := indent
	for _, w := range words {
		switch {
		case line == indent:
			line += w
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) <= width:
			line += " " + w
		default:
			lines = append(lines, line)
			line = indent + w
		}
	}
	return append(lines, line)
}

// shortHelp is the first sentence of a help text, or as much of it as fits the
// limit with an ellipsis.
func shortHelp(text string, limit int) string {
	all := paragraphs(text)
	if len(all) == 0 {
		return ""
	}
	words := all[0]
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
