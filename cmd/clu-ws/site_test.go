package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestCheckListsTheConditionsAndBoards(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "site:\n  title: APO\n  keywords: {dome.humidity: {unit: '%', high: 85}}\n"+
		"  conditions: [{name: unsafe, when: weather.is_safe == false, level: critical, text: not safe, for: 30s}]\n"+
		"  boards: [{name: night, items: [{actor: dome}]}]\n")
	got := output(t, "check", "--config", path)
	for _, words := range []string{
		`The observatory is called "APO".`, `critical: "not safe" if weather.is_safe == false for 30s`,
		`warn: "dome.humidity is above 85 %" if dome.humidity > 85`, "board night, with 1 items",
	} {
		if !strings.Contains(got, words) {
			t.Errorf("it does not say %q:\n%s", words, got)
		}
	}
}

func TestABoardThatIsAddedToItsFolderIsToldToPages(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", "host: 127.0.0.1\nport: 0\nsite: {title: APO, boards: boards}\n")
	boards := filepath.Join(filepath.Dir(path), "boards")
	if err := os.Mkdir(boards, 0o700); err != nil {
		t.Fatal(err)
	}
	p := spawn(t, nil, "--config", path)
	c := testkit.DialWebSocketWith(t, ws.Dialer{}, "ws://"+p.announcedAddress(t, "ws://")+"/?silent=1")
	ask := func(op, request string) (m map[string]any) {
		t.Helper()
		if request != "" {
			c.Send(request)
		}
		for m["op"] != op {
			m = nil
			if err := json.Unmarshal(c.Receive(), &m); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	ask("ok", `{"op": "subscribe", "notices": ["site"]}`)
	if m := ask("site", `{"op": "site"}`); m["title"] != "APO" || len(m["boards"].([]any)) != 0 {
		t.Errorf("the site is %v", m)
	}
	replaceFile(t, filepath.Join(boards, "night.json"), `{"items": [{"actor": "dome"}]}`)
	ask("site", "")
	if m := ask("site", `{"op": "site"}`); len(m["boards"].([]any)) != 1 {
		t.Errorf("the site is %v", m)
	}
	p.await(t, `msg="the configuration was reloaded" changed=[site]`)
	replaceFile(t, filepath.Join(boards, "night.json"), `{"items": [{"actr": "dome"}]}`)
	if line := p.await(t, "nothing has changed"); !strings.Contains(line, `night.json:1:13: the board.items has no key`) {
		t.Errorf("it logs %s", line)
	}
}
