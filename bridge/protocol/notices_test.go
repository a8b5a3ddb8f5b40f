package protocol

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNoticesAreAListOfKinds(t *testing.T) {
	for text, want := range map[string]Notices{
		`["actors"]`:                      NoticeActors,
		`["site", "models", "\u0073ite"]`: NoticeSite | NoticeModels,
		`["commands", "problems"]`:        NoticeCommands | NoticeProblems,
		`null`:                            0,
	} {
		if got, err := (Fields{"notices": json.RawMessage(text)}).Notices(); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	if got, err := (Fields{}).Notices(); got != 0 || err != nil {
		t.Errorf("without the field: %d, %v", got, err)
	}
}

func TestWrongNoticesAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		`"actors"`:    `"notices" is a string, but must be a list of actors, commands, models, problems, site`,
		`[]`:          `"notices" names nothing; write a list of`,
		`[1]`:         `"notices" has a number in it`,
		`["weather"]`: `there are no notices of "weather"; "notices" is a list of`,
		`[` + strings.Repeat(`"site",`, 16) + `"site"]`: `names more than 16 kinds`,
		`["` + strings.Repeat("x", 10_000) + `"]`:       `"notices" has a string in it`,
	} {
		if _, err := (Fields{"notices": json.RawMessage(text)}).Notices(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func FuzzNotices(f *testing.F) {
	f.Add([]byte(`["actors", "site"]`))
	f.Add([]byte(`["\ud800"]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || len(text) == 0 || text[0] == ' ' {
			return
		}
		all, err := (Fields{"notices": text}).Notices()
		var names []string
		if err == nil && string(text) != "null" && (json.Unmarshal(text, &names) != nil || all == 0) {
			t.Errorf("%s is read as %d", text, all)
		}
	})
}
