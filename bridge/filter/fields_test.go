package filter_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// reply passes every field of passing, and none of failing.
var (
	reply   = filter.Reply{Sender: "a", RoutingKey: "a", Code: "i", CommandID: "a", Commander: "a", Internal: true, Keywords: []string{"a"}}
	passing = map[string]string{"message_code": "i", "internal": "true"}  // all others: a
	failing = map[string]string{"message_code": "f", "internal": "false"} // all others: b
)

// A field that one way to match forgets is a filter that selects too much.
func TestEveryFieldCountsInEveryWayToMatch(t *testing.T) {
	for _, field := range filter.Fields() {
		for want, values := range map[bool]map[string]string{true: passing, false: failing} {
			value, ok := values[field]
			if !ok {
				value = map[bool]string{true: "a", false: "b"}[want]
			}
			f, _, err := filter.FromQuery(map[string][]string{field: {value}})
			if err != nil {
				t.Fatal(err)
			}
			m := filter.NewMemo(1)
			m.Look(&reply)
			for way, got := range map[string]bool{"Filter.Match": f.Match(&reply), "Memo.Match": m.Match(f, m.Add(), false)} {
				if got != want {
					t.Errorf("%s of %s=%s is %v", way, field, value, got)
				}
			}
		}
	}
}

func TestThePatternsOfEveryFieldCount(t *testing.T) {
	for _, field := range filter.Fields() {
		if slices.Contains([]string{"message_code", "internal"}, field) {
			continue // they have no patterns
		}
		value := "a*"
		if field == "routing_key" {
			value = "a.*"
		}
		if n := parse(t, fmt.Sprintf(`{%q: %q}`, field, value)).Globs(); n != 1 {
			t.Errorf("%s=%s has %d patterns", field, value, n)
		}
	}
}

func TestEveryFieldIsDocumentedAndKnownToTheBrowserClient(t *testing.T) {
	for file, section := range map[string][2]string{
		"doc.go":                          {"# The fields of a filter", "# Absent headers"},
		"testdata/cases.json":             {`"filters"`, `"wrong"`},
		"../../docs/protocol.md":          {"### Filters", "\n### "},
		"../../web-demo/client/filter.js": {"const FIELDS = [", "]"},
		"../../web-demo/client/clu.d.ts":  {"export interface Filter {", "\n}"},
		"../../web-demo/client/url.js":    {"const PARAMETERS = [", "]"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, part, found := strings.Cut(string(text), section[0])
		part, _, _ = strings.Cut(part, section[1])
		if !found {
			t.Fatalf("%s has no %q", file, section[0])
		}
		for _, field := range filter.Fields() {
			if !strings.Contains(part, field) {
				t.Errorf("%s does not name the field %s in its part %q", file, field, section[0])
			}
		}
	}
}
