package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

//go:generate go run . configuration ../../docs/configuration.md

// configurationCommand writes docs/configuration.md. It is for developers who change the
// flags.
func configurationCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "configuration",
		Usage:     "write the page about all flags and variables, to a file or to standard output",
		ArgsUsage: "[FILE]",
		Hidden:    true,
		Flags:     []cli.Flag{&cli.PathFlag{Name: "yaml", Usage: "write a configuration file instead, with the sections of this `EXAMPLE`"}},
		Action: func(c *cli.Context) error {
			page := configurationPage()
			if example := c.Path("yaml"); example != "" {
				var err error
				if page, err = sampleFile(example); err != nil {
					return err
				}
			}
			if c.Args().Present() {
				return os.WriteFile(c.Args().First(), []byte(page), 0o644)
			}
			_, err := io.WriteString(stdout, page)
			return err
		},
	}
}

// configurationPage returns docs/configuration.md: the flags of each category, with the
// notes of configurationnotes.go.
func configurationPage() string {
	p := &pageWriter{}
	p.raw(configurationIntro)
	flags := websocketCommand(nil, nil).Flags
	for _, s := range configurationSections {
		p.raw("\n## " + s.title + "\n\n")
		p.paragraph(s.intro)
		for _, f := range flags {
			if isVisible(f) && f.(cli.CategorizableFlag).GetCategory() == s.category {
				p.flag(f, flagNotes[f.Names()[0]])
			}
		}
		if s.more != "" {
			p.raw("\n" + s.more)
		}
	}
	p.raw(configurationCheck)
	p.subcommand(demoCommand(nil, nil), flags)
	p.subcommand(benchCommand(nil, nil), nil)
	p.raw("\n" + configurationOutro)
	return p.b.String()
}

func isVisible(f cli.Flag) bool {
	v, ok := f.(cli.VisibleFlag)
	return ok && v.IsVisible() && f.Names()[0] != "help"
}

// pageWriter writes Markdown whose lines fit pageWidth.
type pageWriter struct{ b strings.Builder }

const pageWidth = 118

func (p *pageWriter) raw(text string) { p.b.WriteString(text) }

// paragraph writes a text as one paragraph.
func (p *pageWriter) paragraph(text string) { p.wrapped("", "", text) }

// flag writes a list item about a flag.
func (p *pageWriter) flag(f cli.Flag, note string) {
	doc := f.(cli.DocGenerationFlag)
	placeholder, usage := usageOf(doc)
	title := "**`--" + strings.TrimSpace(f.Names()[0]+" "+placeholder) + "`**"
	for _, alias := range f.Names()[1:] {
		title += ", `-" + alias + "`"
	}
	if variables := doc.GetEnvVars(); len(variables) > 0 {
		title += ", `" + variables[0] + "`"
	}
	if value := defaultOf(doc); value != "" {
		title += ", default " + value
	}
	p.raw("\n- " + title + "\\\n") // a line break
	if note != "" {
		usage += " " + note
	}
	p.wrapped("  ", "  ", usage)
}

// wrapped writes a text in lines, all but the first with an indent. Code is not
// broken.
func (p *pageWriter) wrapped(first, indent, text string) {
	line, empty := first, true
	for _, word := range markdownWords(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > pageWidth {
			p.raw(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	p.raw(line + "\n")
}

// markdownWords splits a text at its spaces, except those in code.
func markdownWords(text string) (words []string) {
	inCode := false
	for _, field := range strings.Fields(text) {
		if inCode {
			words[len(words)-1] += " " + field
		} else {
			words = append(words, field)
		}
		if strings.Count(field, "`")%2 == 1 {
			inCode = !inCode
		}
	}
	return words
}

// usageOf returns the placeholder of a flag's value, and its usage as sentences.
func usageOf(doc cli.DocGenerationFlag) (placeholder, usage string) {
	usage = doc.GetUsage()
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		placeholder, _, _ = strings.Cut(rest, "`")
		usage = strings.TrimPrefix(before, " ") + "`" + rest
	}
	usage = codeInUsage(usage)
	first, size := utf8.DecodeRuneInString(usage)
	return placeholder, string(unicode.ToUpper(first)) + usage[size:] + "."
}

// literal matches a literal name in a usage, with the punctuation around it: a flag, an
// address, a path, a URL, a name with an underscore or a placeholder in it.
var literal = regexp.MustCompile(`^(\(?)(--[a-z]\S*?|\*|/[a-z]\S*?|[][\w./:<>-]*(?:://|:/|<|_|=|:port|\d+\.\d+\.\d+\.\d+)\S*?)([,;.:)]*)$`)

// codeInUsage marks literal names in a usage as code.
func codeInUsage(usage string) string {
	words := strings.Split(usage, " ")
	for i, w := range words {
		if !strings.Contains(w, "`") {
			words[i] = literal.ReplaceAllString(w, "$1`$2`$3")
		}
	}
	return strings.Join(words, " ")
}

// defaultOf returns a flag's default value as Markdown; "" if there is none.
func defaultOf(doc cli.DocGenerationFlag) string {
	text := strings.Trim(doc.GetDefaultText(), `"`)
	if text == "" {
		text = strings.Trim(doc.GetValue(), `"`)
	}
	switch {
	case !doc.TakesValue() && text == "false":
		return "off"
	case !doc.TakesValue():
		return "on"
	case text == "" || text == "0" || text == "0s" || text == "[]":
		return ""
	case strings.Contains(text, " ") && !strings.Contains(text, "<"):
		return text
	}
	return "`" + shortDuration(text) + "`"
}

// shortDuration writes 24h0m0s as 24h.
func shortDuration(text string) string {
	short := strings.TrimSuffix(text, "0s")
	if short != text && strings.HasSuffix(short, "m") {
		text = short
		if short, ok := strings.CutSuffix(text, "h0m"); ok {
			text = short + "h"
		}
	}
	return text
}

// subcommand writes the flags of another subcommand: in full, except those that it
// shares with the given ones.
func (p *pageWriter) subcommand(command *cli.Command, shared []cli.Flag) {
	p.raw("\n## `clu-ws " + command.Name + "`\n\n")
	p.paragraph(strings.ToUpper(command.Usage[:1]) + command.Usage[1:] + ".")
	var same []string
	for _, f := range command.Flags {
		at := slices.IndexFunc(shared, func(other cli.Flag) bool { return other.Names()[0] == f.Names()[0] })
		if at >= 0 && sameDoc(f, shared[at]) {
			same = append(same, "`--"+f.Names()[0]+"`")
		}
	}
	if len(same) > 0 {
		p.raw("\n")
		p.paragraph("It has these flags of `clu-ws websocket`: " + strings.Join(same, ", ") + ". These differ or are its own:")
	}
	for _, f := range command.Flags {
		if isVisible(f) && !slices.Contains(same, "`--"+f.Names()[0]+"`") {
			p.flag(f, "")
		}
	}
	for _, c := range command.Subcommands {
		if !c.Hidden {
			named := *c
			named.Name = command.Name + " " + c.Name
			p.subcommand(&named, nil)
		}
	}
}

func sameDoc(a, b cli.Flag) bool {
	return fmt.Sprint(a) == fmt.Sprint(b)
}
