package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// manCommand writes the manual pages. It is for those who make packages.
func manCommand() *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "write the manual pages to a folder",
		ArgsUsage: "FOLDER",
		Hidden:    true,
		Flags:     []cli.Flag{&cli.StringFlag{Name: "date", Usage: "`DATE` of the pages"}},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fmt.Errorf("name one FOLDER; see %s --help", c.Command.HelpName)
			}
			for name, page := range manPages(c.App, c.String("date")) {
				if err := os.WriteFile(filepath.Join(c.Args().First(), name), []byte(page), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// manPages returns the manual pages by file name: one of the program, one of each subcommand,
// and one of the configuration file.
func manPages(app *cli.App, date string) map[string]string {
	pages := map[string]string{}
	var names []string
	for _, command := range app.Commands {
		if command.Hidden {
			continue
		}
		names = append(names, app.Name+"-"+command.Name)
		pages[names[len(names)-1]+".1"] = subcommandPage(app, command, date)
	}
	pages["clu-ws.1"] = programPage(app, names, date)
	pages["clu-ws.yaml.5"] = filePage(app, date)
	return pages
}

// manWriter writes a manual page in the language of man(7).
type manWriter struct{ b strings.Builder }

// openPage begins a page with its title and name.
func openPage(name, section, date, about string) *manWriter {
	w := &manWriter{}
	w.line(".TH %s %s %q %q %q", strings.ToUpper(name), section, date, "clu-ws "+releaseVersion, "clu-ws")
	w.line(".ad l") // addresses and lists of flags would be torn apart
	w.section("NAME")
	w.line(`%s \- %s`, roff(name), roff(about))
	return w
}

// line writes a line that is in the language of man(7) already.
func (w *manWriter) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *manWriter) section(title string) { w.line(".SH %s", title) }

// text writes paragraphs and lists of Markdown; an empty line ends one.
func (w *manWriter) text(markdown string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(markdown), "\n\n") {
		if i > 0 && !strings.HasPrefix(paragraph, "- ") { // a list has breaks of its own
			w.line(".PP")
		}
		for j, item := range strings.Split("\n"+paragraph, "\n- ") {
			if j > 0 {
				w.line(`.IP \(bu 2`)
			}
			if text := strings.Join(strings.Fields(item), " "); text != "" {
				w.line("%s", roffMarkdown(text))
			}
		}
	}
}

// example writes lines as they are.
func (w *manWriter) example(lines string) {
	w.line(".PP\n.RS 4\n.nf\n%s\n.fi\n.RE", roff(lines))
}

// seeAlso writes the list of other pages, and ends the page.
func (w *manWriter) seeAlso(pages ...string) string {
	w.section("SEE ALSO")
	for i, page := range pages {
		name, section, _ := strings.Cut(page, "(")
		comma := " ,"
		if i == len(pages)-1 {
			comma = ""
		}
		w.line(".BR %s (%s%s", roff(name), section, comma)
	}
	return w.b.String()
}

// flags writes a list of flags, by their categories if they have any.
func (w *manWriter) flags(flags []cli.Flag) {
	for _, s := range configurationSections {
		in := slices.DeleteFunc(slices.Clone(flags), func(f cli.Flag) bool {
			categorized, ok := f.(cli.CategorizableFlag)
			return !isVisible(f) || !ok || categorized.GetCategory() != s.category
		})
		if len(in) > 0 && s.category != "" {
			w.line(".SS %s", roff(s.title))
		}
		for _, f := range in {
			w.flag(f)
		}
	}
}

func (w *manWriter) flag(f cli.Flag) {
	doc := f.(cli.DocGenerationFlag)
	placeholder, usage := usageOf(doc)
	var names []string
	for _, name := range f.Names() {
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		names = append(names, `\fB`+roff(dashes+name)+`\fP`)
	}
	title := strings.Join(names, ", ")
	if placeholder != "" {
		title += ` \fI` + roff(placeholder) + `\fP`
	}
	w.line(".TP\n%s", title)
	if note := flagNotes[f.Names()[0]]; note != "" && slices.Contains(doc.GetEnvVars(), variable(f.Names()[0])) {
		usage += " " + note
	}
	if value := defaultOf(doc); value != "" {
		usage += " Default: " + value + "."
	}
	for _, variable := range doc.GetEnvVars() {
		usage += " Variable: `" + variable + "`."
	}
	w.text(usage)
}

// subcommandPage returns the page of a subcommand.
func subcommandPage(app *cli.App, command *cli.Command, date string) string {
	w := openPage(app.Name+"-"+command.Name, "1", date, command.Usage)
	w.section("SYNOPSIS")
	w.line(`\fB%s %s\fP [\fIflags\fP] %s`, roff(app.Name), roff(command.Name), roff(command.ArgsUsage))
	if command.Description != "" {
		w.section("DESCRIPTION")
		w.text(command.Description)
	}
	if len(command.Subcommands) > 0 {
		w.section("SUBCOMMANDS")
	}
	for _, c := range command.Subcommands {
		if !c.Hidden {
			w.line(".SS %s", roff(command.Name+" "+c.Name+" "+c.ArgsUsage))
			w.text(sentence(c.Usage) + "\n\n" + c.Description)
			w.flags(c.Flags)
		}
	}
	if len(command.Flags) > 0 {
		w.section("OPTIONS")
		w.flags(command.Flags)
	}
	return w.seeAlso("clu-ws(1)", "clu-ws.yaml(5)")
}

// programPage returns the page of the program.
func programPage(app *cli.App, pages []string, date string) string {
	w := openPage(app.Name, "1", date, app.Usage)
	w.section("SYNOPSIS")
	w.line(`\fB%s\fP \fIcommand\fP [\fIflags\fP] [\fIarguments\fP]`, roff(app.Name))
	w.section("DESCRIPTION")
	w.text("`clu-ws` connects web pages to the CLU actors of an observatory: it relays their replies to browsers over WebSocket, and commands from these to the actors. Each command has a page of its own.")
	w.section("COMMANDS")
	for _, command := range app.Commands {
		if !command.Hidden {
			w.line(".TP\n\\fB%s\\fP %s", roff(command.Name), roff(command.ArgsUsage))
			w.text(sentence(command.Usage))
		}
	}
	w.section("FILES")
	w.line(".TP\n.I /etc/clu\\-ws/clu\\-ws.yaml")
	w.text("The settings of the service.")
	var also []string
	for _, page := range append(pages, "systemctl") {
		also = append(also, page+"(1)")
	}
	return w.seeAlso(append(also, "clu-ws.yaml(5)")...)
}

// filePage returns the page of the configuration file.
func filePage(app *cli.App, date string) string {
	w := openPage("clu-ws.yaml", "5", date, "settings of clu-ws websocket")
	w.section("DESCRIPTION")
	notes, secrets, _ := strings.Cut(fileNotes, "### Secrets\n")
	w.text(notes)
	w.line(".PP")
	w.text("Check a changed file before it is used:")
	w.example("clu-ws check --config /etc/clu-ws/clu-ws.yaml")
	w.section("SECRETS")
	w.text(secrets)
	w.section("KEYS")
	w.text("Each is a flag of `clu-ws websocket`, whose page says what it does.")
	for _, s := range configurationSections {
		first := true
		for _, f := range websocketFlags() {
			if !isVisible(f) || f.(cli.CategorizableFlag).GetCategory() != s.category || f.Names()[0] == "config" {
				continue
			}
			if first {
				w.line(".SS %s", roff(s.title))
				first = false
			}
			w.line(".TP\n\\fB%s\\fP", roff(f.Names()[0]))
			_, usage := usageOf(f.(cli.DocGenerationFlag))
			w.text(usage)
		}
	}
	return w.seeAlso("clu-ws-websocket(1)", "clu-ws-check(1)")
}

// sentence returns a usage as a sentence.
func sentence(usage string) string {
	return strings.ToUpper(usage[:1]) + usage[1:] + "."
}

// roffEscapes are the characters with a meaning in man(7), or that it would make typographic.
var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roff returns a text as text of man(7).
func roff(text string) string {
	lines := strings.Split(roffEscapes.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

var markdownLink = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)

// roffMarkdown returns a paragraph of Markdown, with code in bold, as text of man(7).
func roffMarkdown(text string) string {
	text = markdownLink.ReplaceAllString(text, "$1")
	parts := strings.Split(text, "`")
	for i, part := range parts {
		if parts[i] = roff(part); i%2 == 1 && part != "" {
			parts[i] = `\fB` + roff(part) + `\fP`
		}
	}
	return strings.Join(parts, "")
}
