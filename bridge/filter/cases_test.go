package filter_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// cases is the table that this package and the browser client are both held to:
// web-demo/client/filter.js reads the same file.
type cases struct {
	Replies map[string]struct {
		Sender     string   `json:"sender"`
		RoutingKey string   `json:"routing_key"`
		Code       string   `json:"message_code"`
		CommandID  string   `json:"command_id"`
		Commander  string   `json:"commander"`
		Internal   bool     `json:"internal"`
		Keywords   []string `json:"keywords"`
		Mine       bool     `json:"mine"`
	} `json:"replies"`
	Filters []struct {
		Filter  json.RawMessage `json:"filter"`
		Selects []string        `json:"selects"` // names of replies, sorted
	} `json:"filters"`
	Wrong []json.RawMessage `json:"wrong"`
}

func readCases(t *testing.T) (c cases) {
	t.Helper()
	text, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFiltersSelectWhatTheTableSharedWithTheBrowserClientSays(t *testing.T) {
	c := readCases(t)
	for _, f := range c.Filters {
		got := []string{}
		for name, r := range c.Replies {
			facts := filter.Reply{
				Sender: r.Sender, RoutingKey: r.RoutingKey, Code: r.Code, CommandID: r.CommandID, Commander: r.Commander,
				Internal: r.Internal, Keywords: r.Keywords,
			}
			if parse(t, string(f.Filter)).MatchMine(&facts, r.Mine) {
				got = append(got, name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, f.Selects) {
			t.Errorf("%s:\n got %q\nwant %q", f.Filter, got, f.Selects)
		}
	}
	for _, text := range c.Wrong {
		if f, err := filter.Parse(text); err == nil {
			t.Errorf("%s is read as %s, but should be wrong", text, f.Key())
		}
	}
}
