package protocol

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// Notices is a set of kinds of messages that a subscription asks for beside replies.
type Notices uint8

// The kinds of notices.
const (
	NoticeActors   Notices = 1 << iota // an actor's rhythm has changed, or whether it has a consumer
	NoticeProblems                     // an actor's problems have changed
	NoticeCommands                     // a command has begun, was answered or has ended
	NoticeModels                       // an actor's model has changed
	NoticeSite                         // what the operator configured has changed
)

var noticeNames = map[string]Notices{
	"actors": NoticeActors, "problems": NoticeProblems, "commands": NoticeCommands, "models": NoticeModels, "site": NoticeSite,
}

// maxNotices is how many kinds a list may name, repeated ones included.
const maxNotices = 16

// Notices reads the field "notices", a list of kinds. Without it, it returns none.
func (f Fields) Notices() (all Notices, err error) {
	raw, ok := f["notices"]
	if !ok || string(raw) == "null" {
		return 0, nil
	}
	form := "a list of " + strings.Join(slices.Sorted(maps.Keys(noticeNames)), ", ")
	if Kind(raw) != "a list" {
		return 0, fmt.Errorf(`"notices" is %s, but must be %s`, Kind(raw), form)
	}
	n := 0
	for element := range jsonscan.Elements(raw) {
		if n++; n > maxNotices {
			return 0, fmt.Errorf(`"notices" names more than %d kinds; write each once: %s`, maxNotices, form)
		}
		var name string
		if len(element) > maxRawID || json.Unmarshal(element, &name) != nil {
			return 0, fmt.Errorf(`"notices" has %s in it, but must be %s`, Kind(element), form)
		}
		kind := noticeNames[name]
		if kind == 0 {
			return 0, fmt.Errorf(`there are no notices of %s; "notices" is %s`, quote.Text(name), form)
		}
		all |= kind
	}
	if n == 0 {
		return 0, fmt.Errorf(`"notices" names nothing; write %s, or leave it out`, form)
	}
	return all, nil
}
