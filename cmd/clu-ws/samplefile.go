package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
)

// sampleIntro opens the configuration file of packages.
const sampleIntro = `# The settings of clu-ws websocket. Each line that begins with "#" and a key is a setting with its default, or with
# a word in capitals in place of the value: remove the "#" to change it. Check the changed file, and let the bridge use it:
#
#	clu-ws check --config /etc/clu-ws/clu-ws.yaml
#	systemctl restart clu-ws
#
# Many settings are also taken over by a running bridge, which says in its log which ones. Explained in clu-ws.yaml(5).
`

// sampleSet are the settings of the sample that are in force: with them, a bridge that is started as it was installed
// cannot be reached from other machines.
var sampleSet = map[string]string{
	"host": "127.0.0.1",
}

// sampleNotes are added to settings of the sample.
var sampleNotes = map[string]string{
	"host": "Remove this line with clu-ws.socket, which has the address then, or with listen.",
}

// sampleFile returns the configuration file of packages: every flag of clu-ws websocket, and the sections of an example.
func sampleFile(example string) (string, error) {
	p := &pageWriter{}
	p.raw(sampleIntro)
	for _, s := range configurationSections {
		if s.category == catFile {
			continue
		}
		p.raw("\n# --- " + s.title + " ---\n")
		for _, f := range websocketFlags() {
			if isVisible(f) && f.(cli.CategorizableFlag).GetCategory() == s.category {
				p.sampleSetting(f)
			}
		}
	}
	content, err := os.ReadFile(example)
	if err != nil {
		return "", err
	}
	sections, err := exampleSections(string(content))
	if err != nil {
		return "", fmt.Errorf("%s: %w", example, err)
	}
	p.raw("\n" + sections)
	return p.b.String(), nil
}

// sampleSetting writes one setting.
func (p *pageWriter) sampleSetting(f cli.Flag) {
	name := f.Names()[0]
	placeholder, usage := usageOf(f.(cli.DocGenerationFlag))
	p.raw("\n")
	p.wrapped("# ", "# ", plainMarkdown(usage+" "+sampleNotes[name]))
	if value, set := sampleSet[name]; set {
		p.raw(name + ": " + value + "\n")
		return
	}
	p.raw("#" + name + ": " + sampleValue(f, placeholder) + "\n")
}

// sampleValue returns a flag's default in YAML, or its placeholder if it has none.
func sampleValue(f cli.Flag, placeholder string) string {
	if on, ok := f.(*cli.BoolFlag); ok {
		return fmt.Sprint(on.Value)
	}
	value := f.(cli.DocGenerationFlag).GetValue()
	_, list := f.(*cli.StringSliceFlag)
	switch {
	case list && strings.Trim(value, `"[]`) == "":
		return "[" + placeholder + "]"
	case list:
		return "[" + value + "]"
	case value == "" || value == "0" && f.(cli.DocGenerationFlag).GetDefaultText() != "0":
		return placeholder // the default is not a value
	}
	if _, ok := f.(*cli.DurationFlag); ok {
		return shortDuration(value)
	}
	return strings.Trim(value, `"`)
}

// plainMarkdown returns Markdown without its marks.
func plainMarkdown(text string) string {
	return strings.ReplaceAll(markdownLink.ReplaceAllString(text, "$1"), "`", "")
}

var sectionStart = regexp.MustCompile(`(?m)(?:^#.*\n)*^(?:site|access|dialects):\n`)

// exampleSections returns the sections site, access and dialects of an example, as comments.
func exampleSections(example string) (string, error) {
	at := sectionStart.FindStringIndex(example)
	if at == nil {
		return "", fmt.Errorf("no section site, access or dialects")
	}
	var b strings.Builder
	for line := range strings.Lines(example[at[0]:]) {
		if text := strings.TrimRight(line, "\n"); text == "" || strings.HasPrefix(text, "#") {
			b.WriteString(line)
		} else {
			b.WriteString("#" + line)
		}
	}
	return b.String(), nil
}
