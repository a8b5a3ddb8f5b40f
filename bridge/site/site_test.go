package site

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func limit(v float64) *float64 { return &v }

func TestLimitsAndConditionsAreCompiled(t *testing.T) {
	s, err := Compile(&Config{
		Keywords: map[string]Keyword{
			"dome.humidity": {Unit: "%", High: limit(85), HighCritical: limit(95.5)},
			"dome.temp":     {LowCritical: limit(-20)},
		},
		Conditions: []ConditionConfig{{Name: "unsafe", When: "weather.is_safe == false", For: time.Minute}, {Name: "b", When: "a.b > 1", Level: "warn", Text: "high"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Conditions() {
		within := ""
		if c.Within != nil {
			within = " within " + c.Within.Key
		}
		got = append(got, fmt.Sprintf("%s %v %q if %v for %v%s", c.Key, c.Level, c.Text, c.When, c.For, within))
	}
	want := []string{
		`condition:unsafe error "weather.is_safe == false" if weather.is_safe == false for 1m0s`,
		`condition:b warn "high" if a.b > 1 for 0s`,
		`limit:dome.humidity:high_critical critical "dome.humidity is above 95.5 %" if dome.humidity > 95.5 for 0s`,
		`limit:dome.humidity:high warn "dome.humidity is above 85 %" if dome.humidity > 85 for 0s within limit:dome.humidity:high_critical`,
		`limit:dome.temp:low_critical critical "dome.temp is below -20" if dome.temp < -20 for 0s`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the conditions are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if k, ok := s.Keyword("dome.humidity"); !ok || k.Unit != "%" {
		t.Errorf("the keyword is %+v", k)
	}
	if _, ok := (*Site)(nil).Keyword("dome.humidity"); ok {
		t.Error("no site knows a keyword")
	}
	for i, c := range s.Conditions()[2:] { // what the texts say is what is evaluated
		for _, value := range []string{"-30", "0", "90", "99"} {
			e, err := parseExpr(c.When.String())
			if err != nil {
				t.Fatal(err)
			}
			at := func(int) []byte { return []byte(value) }
			if e.Eval(at) != c.When.Eval(at) {
				t.Errorf("limit %d differs from its text at %s", i, value)
			}
		}
	}
}

func TestWhatIsWrongWithASiteHasItsPath(t *testing.T) {
	many := func(n int) (conditions []ConditionConfig) {
		for i := range n {
			conditions = append(conditions, ConditionConfig{Name: fmt.Sprint(i), When: "a.b == 1"})
		}
		return conditions
	}
	board := func(items ...Item) Boards { return Boards{List: []Board{{Name: "a", Items: items}}} }
	for _, c := range []struct {
		cfg  Config
		want []string
	}{
		{Config{Title: strings.Repeat("x", 501)}, []string{"title: the text has 501 bytes"}},
		{Config{Keywords: map[string]Keyword{"humidity": {}}}, []string{`keywords.humidity: "humidity" names no actor`}},
		{Config{Keywords: map[string]Keyword{"a.b": {High: limit(1), HighCritical: limit(0)}}}, []string{"keywords.a.b.high_critical: high_critical is 0, which is less than high, 1"}},
		{Config{Keywords: map[string]Keyword{"a.b": {Low: limit(5), High: limit(1)}}}, []string{"keywords.a.b.high: high is 1, which is less than low, 5"}},
		{Config{Conditions: []ConditionConfig{{When: "a.b"}, {Name: "x", When: "a.b == 1", Level: "bad", For: 48 * time.Hour}, {Name: "x", When: "a.b == 1"}}}, []string{
			"conditions[0].name: a condition needs a name", "conditions[0].when: column 4: a.b must be compared", `conditions[1].level: "bad" is no level`,
			"conditions[1].for: the time is longer", `conditions[2].name: conditions[1] is called "x", too`}},
		{Config{Conditions: many(maxConditions + 1)}, []string{"conditions: there are 501 conditions"}},
		{Config{Pins: map[string][]string{"dome": {"", "a b"}}}, []string{`pins.dome[0]: "" is no keyword`, `pins.dome[1]: "a b" is no keyword`}},
		{Config{Pins: map[string][]string{"dome": slices.Repeat([]string{"a"}, 13)}}, []string{"pins.dome: 13 keywords are pinned"}},
		{Config{Dangerous: []Dangerous{{}, {Verb: []string{"[z-a"}}, {Consumer: []string{}}}}, []string{"dangerous[0]: the rule has neither", "dangerous[1].verb: ", "dangerous[2].consumer: the list is empty"}},
		{Config{Boards: Boards{List: []Board{{Name: "a/b"}, {Name: "a/b", Title: strings.Repeat("x", 501)}}}}, []string{
			`boards[0].name: "a/b" cannot be`, "boards[0].items: a board has 1 to 60 items; this has 0", `boards[1].name: "a/b"`, `boards[1].name: boards[0] is called "a/b", too`, "boards[1].title: the text", "boards[1].items: "}},
		{Config{Boards: board(Item{}, Item{Log: "x", Actor: "y"}, Item{Log: "x", Range: "6h"}, Item{Plot: []string{"a.b"}, Range: "six"}, Item{Plot: []string{}}, Item{Keywords: []string{"a"}})}, []string{
			"boards[0].items[0]: an item is one of", "boards[0].items[1]: an item is one of", "boards[0].items[2].range: only a plot", `boards[0].items[3].range: "six" is no range`,
			"boards[0].items[4].plot: there are 0 keywords", `boards[0].items[5].keywords[0]: "a" names no actor`}},
		{Config{Boards: Boards{Files: []string{"/x/a.json"}, List: []Board{{Name: "a", Items: []Item{{}}}}}}, []string{"boards: /x/a.json: boards[0].items[0]: an item"}},
	} {
		_, err := Compile(&c.cfg)
		if err == nil {
			t.Errorf("%+v is accepted", c.cfg)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != len(c.want) {
			t.Errorf("the errors are\n%v\nwant\n%s", err, strings.Join(c.want, "\n"))
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("the error is\n%s\nwant\n%s", got[i], c.want[i])
			}
		}
		if _, ok := errors.AsType[*PathError](err); !ok {
			t.Errorf("%v has no path", err)
		}
	}
}

func TestDangerousCommandsAreFoundByTheirPatterns(t *testing.T) {
	s, err := Compile(&Config{Dangerous: []Dangerous{{Consumer: []string{"dome", "lvm.*"}, Verb: []string{"open"}}, {Verb: []string{"shut*"}}, {Consumer: []string{"mirror"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[[2]string]bool{
		{"dome", "open"}: true, {"dome", "close"}: false, {"lvm.sci", "open"}: true, {"x", "shutdown"}: true, {"mirror", "status"}: true, {"mount", "open"}: false,
	} {
		if got := s.Dangerous(command[0], command[1]); got != want {
			t.Errorf("%v: %v", command, got)
		}
	}
}

func TestAKeywordIsHeardIfItsBroadcastWouldBe(t *testing.T) {
	for _, c := range []struct {
		hear, keyword string
		want          bool
	}{
		{`{}`, "dome.open", true},
		{`{"sender": "dome"}`, "dome.open", true},
		{`{"sender": "dome"}`, "mount.open", false},
		{`{"keyword": "op*"}`, "dome.open", true},
		{`{"keyword": "op*"}`, "dome.shut", false},
		{`{"keyword": "op*"}`, "dome.open.member", true},
		{`{"sender": "lvm.sci"}`, "lvm.sci.open", true},
		{`{"message_code": "w"}`, "dome.open", false},
		{`{"internal": true}`, "dome.open", false},
		{`{"routing_key": "reply.broadcast"}`, "dome.open", true},
	} {
		f, err := filter.Parse([]byte(c.hear))
		if err != nil {
			t.Fatal(err)
		}
		if got := HearsKeyword(filter.NewView([]*filter.Filter{f}, nil), c.keyword); got != c.want {
			t.Errorf("%s of %s: %v", c.keyword, c.hear, got)
		}
	}
}

func TestALevelHasALighterOne(t *testing.T) {
	for level, want := range map[Level]Level{Critical: Error, Error: Warn, Warn: None, None: None} {
		if got := level.Lighter(); got != want {
			t.Errorf("lighter than %v is %v", level, got)
		}
	}
	if _, ok := parseLevel("none"); ok {
		t.Error("none is a level of a condition")
	}
}

func TestALimitIsWrittenForPeople(t *testing.T) {
	for limit, want := range map[float64]string{1e6: "1000000", -15: "-15", 0.25: "0.25", 0: "0", 1e-9: "1e-09", 3e8: "300000000", 1e20: "1e+20"} {
		s, err := Compile(&Config{Keywords: map[string]Keyword{"a.b": {Unit: "Pa", High: &limit}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Conditions()[0].Text; got != "a.b is above "+want+" Pa" {
			t.Errorf("%v: %s", limit, got)
		}
	}
}
