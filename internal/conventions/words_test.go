package conventions

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// privateWords have no meaning in the field: with each, what to say instead. They are matched as whole words, and
// as words of an identifier: wish in wishList and wish_list, but not in wishing.
var privateWords = map[string]string{
	"album":        "snapshot cache",
	"bequeath":     "inherit",
	"bequeaths":    "inherits",
	"desk":         "queue",
	"doomed":       "shutdown",
	"forgo":        "discard",
	"gang":         "group, set",
	"leaver":       "closing",
	"paper bridge": "fakeBridge",
	"shelf":        "index",
	"swarm":        "clients",
	"teller":       "reporter",
	"theatre":      "harness",
	"unroutables":  "pendingReturns",
	"untieable":    "noSentinel",
	"wish":         "Spec",
	"wishes":       "Specs",
	"witness":      "sentinel",
}

// privateIdentifiers are words of the field that made a private name together. Their first letter may be a capital.
var privateIdentifiers = map[string]string{
	"adminDoor": "adminAddr", "asItIs": "Passive", "askAside": "submit", "askFor": "submit", "callOff": "cancel",
	"commandWay": "commandPath", "fellOff": "lagged", "lateOr": "failOrReply", "stepOver": "skipPoison", "tooOdd": "isPoison",
}

// privatePhrases are English that is not: with each, what to write instead.
var privatePhrases = map[string]string{
	"tell whether": "report whether", "tells whether": "reports whether", "who asks for": "the requester",
	"the same is had": "rephrase", "has it with that": "rephrase",
}

var (
	camelBoundary = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	separators    = regexp.MustCompile(`[^a-z0-9]+`)
)

// plainWords returns a text as lower-case words with a space around each, identifiers split into their words.
func plainWords(text string) string {
	text = camelBoundary.ReplaceAllString(text, "$1 $2")
	return " " + separators.ReplaceAllString(strings.ToLower(text), " ") + " "
}

// oldNames may use the old words: they are about earlier versions.
var oldNames = []string{"CHANGELOG.md", "amqpx/sentinels_older.go", "amqpx/sentinels_older_test.go", "internal/conventions"}

func TestPrivateWordsDoNotComeBack(t *testing.T) {
	words := maps.Clone(privateWords)
	maps.Copy(words, privatePhrases)
	for _, f := range files(t, ".go", ".js", ".mjs", ".ts", ".html", ".sh", ".py", ".md", ".yml") {
		if within(f.path, oldNames) {
			continue
		}
		plain := plainWords(f.path + "\n" + f.text)
		for private, instead := range words {
			if strings.Contains(plain, plainWords(private)) {
				t.Errorf("%s:%d: %q is not a word of the field; say %q", f.path, lineWith(f.text, private), private, instead)
			}
		}
		for _, name := range identifiers.FindAllString(f.text, -1) {
			instead := privateIdentifiers[strings.ToLower(name[:1])+name[1:]]
			t.Errorf("%s: %s is not a name of the field; say %s", f.path, name, instead)
		}
	}
}

// identifiers matches every private identifier.
var identifiers = func() *regexp.Regexp {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(privateIdentifiers)) {
		names = append(names, "(?i:"+name[:1]+")"+name[1:])
	}
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\b`)
}()

// lineWith returns the number of the first line that has the words; 0 is none, as for words in a file's name. Words at the end of one line and the
// beginning of the next stand in the first.
func lineWith(text, words string) int {
	want := plainWords(words)
	if !strings.Contains(plainWords(text), want) {
		return 0
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.Contains(plainWords(line), want) {
			return i + 1
		}
	}
	for i := range lines[1:] {
		if strings.Contains(plainWords(lines[i]+" "+lines[i+1]), want) {
			return i + 1
		}
	}
	return 1
}

func TestWordsAreFoundInsideIdentifiersAndAcrossLines(t *testing.T) {
	for text, line := range map[string]int{
		"type wishList":               1,
		"a\nwish_list":                2,
		"// this tells\n// whether":   1,
		"aWish":                       1,
		"wishing a swish":             0,
		"func (r *WISH)":              1,
		"one\ntwo tells whether five": 2,
	} {
		got := max(lineWith(text, "wish"), lineWith(text, "tells whether"))
		if got != line {
			t.Errorf("%q: found in line %d, not %d", text, got, line)
		}
	}
}
