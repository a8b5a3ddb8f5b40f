package terminal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// completeLine returns what is offered for a line, with answers that are remembered in the folder.
func completeLine(t *testing.T, f *fakeLink, line, folder string) string {
	t.Helper()
	all := []Subcommand{{Name: "send", Help: "sends", Takes: TakesCommand, Flags: []Flag{{"--quiet", "says less", false}, {"--timeout", "", true}}}, {Name: "get", Takes: TakesKeywords}}
	stdout, _, err := f.run(t, func(e *Env) {
		if f.answers == nil {
			e.Dial = func(context.Context) (Link, error) { return nil, errors.New("there is no bridge") }
		}
	}, func(ctx context.Context, e *Env) error { return Complete(ctx, e, all, line, folder) })
	if err != nil {
		t.Error(err)
	}
	return stdout
}

func TestWhatFollowsInTheLineOfAShell(t *testing.T) {
	f := &fakeLink{answers: map[string]string{
		"actors":   `{"actors": [{"name": "dome"}, {"name": "camera"}, {"name": "a b"}]}`,
		"model":    `{"commands": [{"name": "open", "help": "Opens\tit.", "params": [{"name": "how", "kind": "argument", "opts": ["HOW"], "type": "choice", "choices": ["very fast", "slow"], "nargs": 1}]}]}`,
		"snapshot": `{"actors": {"dome": {"keywords": {"shutter": {"value": 1}, "az": {"value": 2}}}}}`,
	}}
	for line, want := range map[string]string{
		"clu-ws":                        "",
		"clu-ws ":                       "send\tsends\nget\n",
		"clu-ws s":                      "send\tsends\n",
		"clu-ws send ":                  "dome\ncamera\n",
		"clu-ws send d":                 "dome\n",
		"clu-ws send --q":               "--quiet\tsays less\n",
		"clu-ws send --timeout ":        "",
		"clu-ws send --timeout 3 dom":   "dome\n",
		"clu-ws send --timeout=3 dom":   "dome\n",
		"clu-ws send dome op":           "open\tOpens it\n",
		"clu-ws send dome open v":       "'very fast'\tHOW\n",
		"clu-ws get dome.":              "dome.az\ndome.shutter\n",
		"clu-ws get dome.az dome.s":     "dome.shutter\n",
		"clu-ws nothing ":               "",
		"clu-ws send dome open sl --q":  "",
		"clu-ws send dome open --quiet": "",
	} {
		if got := completeLine(t, f, line, t.TempDir()); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestAnswersAreRememberedForTheNextKeys(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cache")
	f := &fakeLink{answers: map[string]string{"actors": `{"actors": []}`}}
	if got := completeLine(t, f, "clu-ws send ", folder); got != "" {
		t.Errorf("got %q", got)
	}
	f.answers["actors"] = `{"actors": [{"name": "dome"}]}` // it has spoken; an empty answer is not remembered
	for range 2 {
		if got := completeLine(t, f, "clu-ws send ", folder); got != "dome\n" {
			t.Errorf("got %q", got)
		}
	}
	if len(f.asked) != 2 {
		t.Errorf("the bridge was asked %d times, want 2", len(f.asked))
	}
	age(t, folder, 2*answerStays)
	if got := completeLine(t, &fakeLink{}, "clu-ws send ", folder); got != "dome\n" {
		t.Errorf("without a bridge: %q", got)
	}
	completeLine(t, f, "clu-ws send ", folder)
	if len(f.asked) != 3 {
		t.Errorf("the bridge was asked %d times, want 3", len(f.asked))
	}
	age(t, folder, 2*answerLasts)
	if got := completeLine(t, &fakeLink{}, "clu-ws send ", folder); got != "" {
		t.Errorf("after weeks without a bridge: %q", got)
	}
}

// age makes all files of a folder older.
func age(t *testing.T, folder string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBridgesAndTokensHaveFoldersOfTheirOwn(t *testing.T) {
	home := func(name string) string { return map[string]string{"HOME": "/home/ana"}[name] }
	seen := map[string]bool{}
	for _, of := range [][2]string{{"ws://a", ""}, {"ws://b", ""}, {"ws://a", "token"}} {
		seen[CacheFolder(home, of[0], of[1])] = true
	}
	if len(seen) != 3 || CacheFolder(func(string) string { return "" }, "ws://a", "") != "" {
		t.Errorf("the folders are %v", seen)
	}
}

func TestThereIsAScriptForEachShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if script, err := CompletionScript(shell); err != nil || script == "" {
			t.Errorf("%s: %v", shell, err)
		}
	}
	_, err := CompletionScript("csh")
	wantCode(t, err, ExitUsage)
}
