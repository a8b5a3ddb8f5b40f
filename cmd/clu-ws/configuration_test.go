package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

func TestTheConfigurationPageIsWhatTheFlagsSay(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	want, got := configurationPage(), string(page)
	if runtime.GOOS != "linux" {
		// Only there has clu-ws bench scenarios, which the page lists.
		want, _, _ = strings.Cut(want, "## `clu-ws bench`")
		got, _, _ = strings.Cut(got, "## `clu-ws bench`")
	}
	if got != want {
		t.Errorf("docs/configuration.md is not up to date: run go generate ./cmd/clu-ws\n%s", firstDifference(got, want))
	}
	if out := output(t, "configuration"); out != configurationPage() {
		t.Error("clu-ws configuration prints something else")
	}
}

// firstDifference returns the first line in which two texts differ.
func firstDifference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return fmt.Sprintf("line %d: %s\nthe flags say: %s", i+1, gotLines[i], wantLines[i])
		}
	}
	return fmt.Sprintf("%d lines, and should be %d", len(gotLines), len(wantLines))
}

func TestTheConfigurationPageHasEachFlagAndItsVariable(t *testing.T) {
	page := configurationPage()
	known := map[string]bool{}
	for _, f := range shownFlags() {
		name := f.Names()[0]
		known[name] = true
		entry := regexp.MustCompile("(?m)^- \\*\\*`--" + name + "( [A-Z]+)?`\\*\\*.*$").FindString(page)
		if entry == "" {
			t.Errorf("--%s is not in the page", name)
		}
		for _, variable := range f.(cli.DocGenerationFlag).GetEnvVars() {
			if !strings.Contains(entry, "`"+variable+"`") {
				t.Errorf("--%s is without %s: %s", name, variable, entry)
			}
		}
	}
	for name := range flagNotes {
		if !known[name] {
			t.Errorf("there is a note on --%s, which is not a flag", name)
		}
	}
	for number, line := range strings.Split(page, "\n") {
		if len([]rune(line)) > 120 && !strings.Contains(line, "|") {
			t.Errorf("line %d is too long: %s", number+1, line)
		}
	}
}

func TestTheExamplesOfTheConfigurationPageAreAccepted(t *testing.T) {
	examples := regexp.MustCompile("(?m)(?:`|^    )(--(?:listen|origin|url|durable|source|trusted-proxy|rabbitmq-host) [^`\n]+)").FindAllStringSubmatch(configurationPage(), -1)
	if len(examples) < 8 {
		t.Fatalf("only %d examples are found", len(examples))
	}
	for _, example := range examples {
		if args := strings.Fields(example[1]); !regexp.MustCompile(`^[A-Z/]`).MatchString(args[1]) {
			configured(t, args...)
		}
	}
}

func TestTheConfigurationPageHasEachKeyOfASource(t *testing.T) {
	keys := regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(sourceKeys, -1)
	_, err := rooms.ParseSource("")
	if err == nil {
		t.Fatal("an empty source is accepted")
	}
	form := regexp.MustCompile(`\w+=`).FindAllString(err.Error(), -1)
	if len(keys) == 0 || len(keys) != len(form) {
		t.Fatalf("the keys are %q, the form has %q", keys, form)
	}
	for i, key := range keys {
		if key[1]+"=" != form[i] {
			t.Errorf("the page has %s where the form has %s", key[1], form[i])
		}
	}
}
