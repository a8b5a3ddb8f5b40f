package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestATextIsCutAtACharacterAndIsUTF8(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"aé", 2, "a…"},
		{"aé", 3, "aé"},
		{"a\xff", 9, "a\ufffd"},
		{"", 0, ""},
	} {
		if got := text(c.text, c.limit); got != c.want {
			t.Errorf("%q cut to %d is %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestOnlyTheFirstThingsThatWereLeftOutAreTold(t *testing.T) {
	b := &bounded{}
	for n := range 20 {
		b.drop("thing %d", n)
		b.drop("thing %d", n)
	}
	if got := b.problem("schema"); !strings.HasSuffix(got, "thing 6, thing 7.") || strings.Count(got, "thing") != 8 {
		t.Errorf("the problem is %q", got)
	}
}

func TestAnAnswerMayBeAsLongAsTheBoundAndNotLonger(t *testing.T) {
	schema := `{"properties": {}}`
	if _, _, err := ParseSchema(json.RawMessage(schema + strings.Repeat(" ", maxAnswer-len(schema)))); err != nil {
		t.Error(err)
	}
	if _, _, err := ParseSchema(json.RawMessage(schema + strings.Repeat(" ", maxAnswer-len(schema)+1))); err == nil {
		t.Error("a longer one is read")
	}
	var got answer
	body := []byte(`{"help": "x"}`)
	if got.read(body, len(body)); got.tooLarge || len(got.help) != 1 {
		t.Errorf("with as much room: %+v", got)
	}
	if got.read(body, len(body)-1); !got.tooLarge {
		t.Error("with less room it is read")
	}
}

func TestGroupsAreReadToADepthAndNotDeeper(t *testing.T) {
	group := `{"params": [], "name": "x"}`
	for range maxDepth - 1 {
		group = `{"params": [], "commands": {"g": ` + group + `}}`
	}
	for deeper, want := range []string{"", "The actor's command model is too large: left out are commands beyond the first 1000, or deeper than 8 groups."} {
		commands, left, err := ParseCommandModel(json.RawMessage(`{"commands": {"g": ` + group + `}}`))
		path := slices.Repeat([]string{"g"}, maxDepth)
		if err != nil || left != want || findCommand(commands, path) == nil || len(findCommand(commands, path).Commands) != 0 {
			t.Errorf("%d deeper: %q, %v, %+v", deeper, left, err, commands)
		}
		group = `{"params": [], "commands": {"g": ` + group + `}}`
	}
}

func TestACommandIsDeprecatedIfItsActorSaysSoInAnyForm(t *testing.T) {
	for raw, want := range map[string]bool{`true`: true, `"use open"`: true, `false`: false, `null`: false, `""`: false} {
		commands, _, err := ParseCommandModel(json.RawMessage(`{"commands": {"a": {"deprecated": ` + raw + `}, "b": {}}}`))
		if err != nil || commands[0].Deprecated != want || commands[1].Deprecated {
			t.Errorf("%s: %+v, %v", raw, commands, err)
		}
	}
}

func TestTheShortHelpStandsInForTheHelp(t *testing.T) {
	commands, _, err := ParseCommandModel(json.RawMessage(`{"commands": {"a": {"help": " ", "short_help": "Short."}, "b": {"help": "\n  Long.\n    More.\n", "short_help": "Short."}, "c": {}}}`))
	if err != nil || commands[0].Help != "Short." || commands[1].Help != "Long.\nMore." || commands[2].Help != "" {
		t.Errorf("%+v, %v", commands, err)
	}
}

func TestADefaultThatIsTooLongIsLeftOut(t *testing.T) {
	for length, kept := range map[int]bool{maxValueBytes: true, maxValueBytes + 1: false} {
		written := `"` + strings.Repeat("x", length-2) + `"`
		commands, _, err := ParseCommandModel(json.RawMessage(`{"commands": {"a": {"params": [{"name": "x", "default": ` + written + `}]}}}`))
		if got := string(commands[0].Params[0].Default); err != nil || (got == written) != kept || !kept && got != "null" {
			t.Errorf("of %d bytes: %s, %v", length, got, err)
		}
	}
}

func TestOnlyWordsOfABoundedLengthAreChoicesAndNames(t *testing.T) {
	long := strings.Repeat("x", maxWordBytes)
	b := &bounded{}
	if got := b.words([]string{long, long + "x", "y"}); !slices.Equal(got, []string{long, "y"}) || len(b.dropped) != 1 {
		t.Errorf("%d words, %v", len(got), b.dropped)
	}
	for name, want := range map[string]bool{long: true, long + "x": false, "": false, "a b": false, "-x": false, `a"`: false, "status": true, "a\\": false} {
		if isCommandName(name) != want {
			t.Errorf("%.10s is a name: %v", name, !want)
		}
	}
	keywords, left, err := ParseSchema(json.RawMessage(fmt.Sprintf(`{"properties": {%q: {}, %q: {}}}`, long, long+"x")))
	if err != nil || len(keywords) != 1 || !strings.Contains(left, "names longer than 256 bytes") {
		t.Errorf("%d keywords, %q, %v", len(keywords), left, err)
	}
}

func TestPossibleValuesThatAreTooManyOrTooLongAreLeftOut(t *testing.T) {
	one := json.RawMessage(`1`)
	for want, all := range map[string][]json.RawMessage{
		"256": slices.Repeat([]json.RawMessage{one}, maxWords), "0": slices.Repeat([]json.RawMessage{one}, maxWords+1),
		"1":     {json.RawMessage(strings.Repeat("1", maxValueBytes))},
		"none ": {json.RawMessage(strings.Repeat("1", maxValueBytes+1))},
	} {
		if got := fmt.Sprint(len(values(all))); got != want && !(got == "0" && want == "none ") {
			t.Errorf("%d values become %s", len(all), got)
		}
	}
}

func TestHelpThatIsNoTextHasNoLines(t *testing.T) {
	for raw, want := range map[string]int{`"a\nb"`: 2, `["a", "b", "c"]`: 3, `5`: 0, `{"a": 1}`: 0} {
		if got := helpLines(json.RawMessage(raw)); len(got) != want {
			t.Errorf("%s: %q", raw, got)
		}
	}
}

func TestTheSizeOfAModelCountsItsTexts(t *testing.T) {
	m := &Model{
		Commands: []Command{{Name: "ab", Help: "cde", Params: []Param{{Name: "x", Help: "yy", Default: json.RawMessage("null"), Choices: []string{"on", "off"}}}, Commands: []Command{{Name: "sub"}}}},
		Keywords: map[string]Keyword{"k": {Description: "dd", Enum: []json.RawMessage{json.RawMessage("12345")}, Members: map[string]Keyword{"mm": {}}, Items: &Keyword{Description: "i"}}},
	}
	commands := 128 + 2 + 3 + (384 + 1 + 2 + 4 + 16 + 2 + 16 + 3) + (128 + 3)
	keywords := 1 + (256 + 2) + (24 + 5) + (2 + 256) + (256 + 1)
	if got := sizeOf(m); got != 512+commands+keywords {
		t.Errorf("%d, want %d", got, 512+commands+keywords)
	}
}

func TestARefusedCommandIsBelievedEveryTenSeconds(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	refuse := func() { f.Refused("dome", []byte(`{"help": ["NoSuchCommand: No such command 'open'."]}`)) }
	for n, after := range []time.Duration{0, refreshAfter - time.Nanosecond, time.Nanosecond} {
		f.clock.Pass(after)
		refuse()
		f.model("dome")
		if want := []int{1, 1, 2}[n]; len(f.changed) != want {
			t.Errorf("after %v: %d changes were told, want %d", after, len(f.changed), want)
		}
	}
}

func TestAModelOfMoreCommandsThanAreReadHasTheNamesOfTheOthers(t *testing.T) {
	names := make([]string, maxHelpAsked+1)
	for n := range names {
		names[n] = fmt.Sprintf("c%03d", n)
	}
	list, _ := json.Marshal(map[string][]string{"help": names})
	answers := map[string][]string{"get-command-model": {refused}, "__commands": {": " + string(list)}, "get_schema": {oneSchema}}
	for _, name := range names {
		answers["help "+name] = []string{`: {"help": ["Usage: dome ` + name + ` [OPTIONS]", "", "  Helps."]}`}
	}
	f := newFakeActors(t, answers)
	m := f.model("dome")
	if len(f.asked) != maxHelpAsked+3 || m.Commands[maxHelpAsked-1].Unread || !m.Commands[maxHelpAsked].Unread || !strings.Contains(m.Problem, "more than 100 commands") {
		t.Errorf("%d questions, %q", len(f.asked), m.Problem)
	}
}

func TestARangeIsReadAsItIsWritten(t *testing.T) {
	for raw, want := range map[string]string{
		`"min": 0, "max": null, "min_open": true, "max_open": true`: `"min":0,"min_open":true`,
		`"min": null, "max": -5e3, "min_open": true`:                `"max":-5e3`,
		`"min": 9, "max": 12345678901234567890, "max_open": true`:   `"min":9,"max":12345678901234567890,"max_open":true`,
		`"min": "0", "max": [1]`:                                    ``,
	} {
		commands, _, err := ParseCommandModel(json.RawMessage(`{"commands": {"a": {"params": [{"name": "x", "nargs": 1, "type": {"param_type": "IntRange", ` + raw + `}}]}}}`))
		got := asJSON(t, commands[0].Params[0])
		_, got, _ = strings.Cut(got, `"type":"int"`)
		got, _, _ = strings.Cut(got, `"required"`)
		if err != nil || strings.Trim(got, ",") != want {
			t.Errorf("%s becomes %s, %v", raw, got, err)
		}
	}
	for raw, want := range map[string]bool{"-1": true, "9": true, "0": true, "": false, " 5 ": true, "x": false, "/": false, ":": false, "1e": false, strings.Repeat("1", maxWordBytes): true, strings.Repeat("1", maxWordBytes+1): false} {
		if (number(json.RawMessage(raw)) != nil) != want {
			t.Errorf("%.10q is a number: %v", raw, !want)
		}
	}
}

func TestOnlyAFewActorsAreAskedAtOnceAndTheOthersWait(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	for n := range maxAskedAtOnce + maxWaiting {
		f.want(fmt.Sprint("a", n), false)
	}
	if len(f.open) != maxAskedAtOnce {
		t.Errorf("%d are being asked", len(f.open))
	}
	if m := f.model("one more"); m.State != None || !strings.HasPrefix(m.Problem, "Too many actors") {
		t.Errorf("%+v", m)
	}
	f.Unsent(f.open[0].ID, "x")
	if len(f.open) != maxAskedAtOnce+1 || f.open[maxAskedAtOnce].Actor != fmt.Sprint("a", maxAskedAtOnce) {
		t.Errorf("then %d are being asked", len(f.open))
	}
	if _, kept := f.entries["one more"]; kept {
		t.Error("an actor that is not asked takes memory")
	}
}

func TestModelsThatWereNotUsedForLongestMakeRoom(t *testing.T) {
	f := newFakeActors(t, modern)
	for n := range maxModels {
		f.model(fmt.Sprint("a", n))
	}
	f.model("a0")
	f.model("new")
	if _, kept := f.entries["a0"]; !kept || len(f.entries) != maxModels {
		t.Errorf("%d models are kept", len(f.entries))
	}
	if _, kept := f.entries["a1"]; kept {
		t.Error("the one that was not used for longest is kept")
	}
	size := 0
	for _, e := range f.entries {
		size += e.model.size
	}
	if f.bytes != size {
		t.Errorf("%d bytes are counted, %d are kept", f.bytes, size)
	}
}
