package model

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fakeActors is a Models with actors that answer at once, as a table says.
type fakeActors struct {
	*Models
	t       *testing.T
	clock   testkit.Clock
	answers map[string][]string // "CODE BODY" of the replies to each command string; none is no answer
	asked   []string            // "ACTOR COMMAND"
	open    []Question          // that were not answered
	changed []string
}

func newFakeActors(t *testing.T, answers map[string][]string) *fakeActors {
	t.Helper()
	f := &fakeActors{t: t, answers: answers}
	f.Models = New(Config{Now: f.clock.Now, After: f.clock.After, Send: f.send, Changed: func(actor string) { f.changed = append(f.changed, actor) }})
	return f
}

func (f *fakeActors) send(q Question) {
	if !IsQuestion(q.ID) {
		f.t.Errorf("%s is not the id of a question", q.ID)
	}
	f.asked = append(f.asked, q.Actor+" "+q.CommandString)
	replies, ok := f.answers[q.CommandString]
	if !ok {
		f.open = append(f.open, q)
	}
	f.reply(q, replies)
}

func (f *fakeActors) reply(q Question, replies []string) {
	for _, r := range replies {
		code, body, _ := strings.Cut(r, " ")
		f.Replied(q.Actor, q.ID, code, []byte(body))
	}
}

// want wants a model, and returns where the answers come.
func (f *fakeActors) want(actor string, refresh bool) *[]*Model {
	var got []*Model
	f.Want(actor, refresh, func(m *Model) { got = append(got, m) })
	return &got
}

// model wants a model that must come at once.
func (f *fakeActors) model(actor string) *Model {
	f.t.Helper()
	got := *f.want(actor, false)
	if len(got) != 1 {
		f.t.Fatalf("%d answers came at once", len(got))
	}
	return got[0]
}

// says compares what was asked since the last call.
func (f *fakeActors) says(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.asked, want) {
		f.t.Errorf("asked was %q, want %q", f.asked, want)
	}
	f.asked = nil
}

// quoted returns the body of a reply with a keyword that is a string.
func quoted(keyword, s string) string {
	raw, _ := json.Marshal(map[string]string{keyword: s})
	return string(raw)
}

const (
	oneCommand = `: {"command_model": {"name": "command-parser", "params": [], "commands": {"open": {"name": "open", "params": [], "help": "Opens."}}}}`
	refused    = `f {"error": "Command 'x' does not exist or cannot be parsed."}`
)

var (
	oneSchema = ": " + quoted("schema", `{"type": "object", "properties": {"temp_c": {"type": "number"}}}`)
	modern    = map[string][]string{"get-command-model": {"> {}", oneCommand}, "get_schema": {"> {}", oneSchema}}
)

func TestAnActorIsAskedOnceWhenSomebodyFirstWantsItsModel(t *testing.T) {
	f := newFakeActors(t, modern)
	f.says()
	m := f.model("dome")
	if m.State != Known || m.Source != FromCommandModel || m.Problem != "" || len(m.Commands) != 1 || m.Keywords["temp_c"].Unit != "°C" || !m.Asked.Equal(f.clock.Now()) {
		t.Errorf("%+v", m)
	}
	f.clock.Pass(checkAfter - time.Second)
	if f.model("dome") != m {
		t.Error("the second answer is another model")
	}
	f.says("dome get-command-model", "dome get_schema")
	if len(f.changed) > 0 {
		t.Errorf("a change of %v was told", f.changed)
	}
}

func TestAnActorOfClusplusIsAskedForTheNamesAndThenForTheHelpOfEach(t *testing.T) {
	f := newFakeActors(t, map[string][]string{
		"get-command-model": {`w {"help": ["NoSuchCommand: No such command 'get-command-model'."]}`, refused},
		"__commands":        {`: {"help": ["move", "status"]}`},
		"help move":         {`: {"help": ["Usage: dome move [OPTIONS] ANGLE", "", "  Moves.", "", "Options:", "  --help  Show this message and exit."]}`},
		"help status":       {refused},
		"get_schema":        {oneSchema},
	})
	m := f.model("dome")
	f.says("dome get-command-model", "dome __commands", "dome help move", "dome help status", "dome get_schema")
	if m.State != Known || m.Source != FromCommands || m.Commands[0].Help != "Moves." || m.Commands[0].Params[0].Name != "angle" || m.Commands[0].Unread || !m.Commands[1].Unread {
		t.Errorf("%+v", m)
	}
}

func TestAnOlderActorTellsItsCommandsByItsHelpGroupsIncluded(t *testing.T) {
	f := newFakeActors(t, map[string][]string{
		"get-command-model": {refused}, "__commands": {refused},
		"help":                {`w {"help": "Usage: dome [OPTIONS] COMMAND [ARGS]..."}`, `: {"help": ["", "Commands:", "  status  Statuses."]}`},
		"help status":         {`: {"help": ["Usage: dome status [OPTIONS] COMMAND [ARGS]...", "", "  Statuses.", "", "Commands:", "  weather  The weather."]}`},
		"help status weather": {`: {"help": ["Usage: dome status weather [OPTIONS]", "", "  Reports the weather.", "", "Options:", "  -v, --verbose", "  --help         Show this message and exit."]}`},
		"get_schema":          {`f {"error": "The actor does not know its own schema."}`},
	})
	m := f.model("dome")
	f.says("dome get-command-model", "dome __commands", "dome help", "dome help status", "dome help status weather", "dome get_schema")
	weather := findCommand(m.Commands, []string{"status", "weather"})
	if m.State != Partial || m.Source != FromHelp || weather == nil || weather.Help != "Reports the weather." || weather.Params[0].Name != "verbose" {
		t.Errorf("%+v", m)
	}
	if want := "The actor has no schema (The actor does not know its own schema); its keywords are known only by what it replies."; m.Problem != want {
		t.Errorf("the problem is %q", m.Problem)
	}
}

func TestAnActorThatAnswersNoneOfItIsSaidToAndAskedAgainLater(t *testing.T) {
	f := newFakeActors(t, map[string][]string{"get-command-model": {refused}, "__commands": {refused}, "help": {refused}, "get_schema": {refused}})
	m := f.model("dome")
	if m.State != None || m.Source != "" || !strings.Contains(m.Problem, "answers neither get-command-model nor __commands nor help") {
		t.Errorf("%+v", m)
	}
	f.says("dome get-command-model", "dome __commands", "dome help", "dome get_schema")
	f.clock.Pass(againAfter - time.Second)
	f.model("dome")
	f.says()
	f.clock.Pass(time.Second)
	f.model("dome")
	f.says("dome get-command-model", "dome __commands", "dome help", "dome get_schema")
}

func TestAnActorThatTakesAMinuteIsAwaitedAndThenTold(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	got := f.want("dome", false)
	f.clock.Pass(patience - time.Millisecond)
	second := f.want("dome", false)
	if len(*got) != 0 {
		t.Fatal("the answer comes before five seconds")
	}
	f.clock.Pass(time.Millisecond)
	if len(*got) != 1 || (*got)[0].State != Asking {
		t.Fatalf("after five seconds: %v", *got)
	}
	f.clock.Pass(time.Minute)
	if len(*second) != 1 || len(f.changed) != 0 {
		t.Errorf("%d answers, changed %v", len(*second), f.changed)
	}
	f.answers = modern
	f.reply(f.open[0], []string{"> {}", oneCommand})
	f.says("dome get-command-model", "dome get_schema")
	if !slices.Equal(f.changed, []string{"dome"}) || f.model("dome").State != Known {
		t.Errorf("changed is %v", f.changed)
	}
}

func TestAnActorThatNeverAnswersIsGivenUp(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	f.want("dome", false)
	f.clock.Pass(answerWithin)
	m := f.model("dome")
	if m.State != None || m.Problem != "The actor has not answered get-command-model within 2m0s." {
		t.Errorf("%+v", m)
	}
	f.reply(f.open[0], []string{oneCommand}) // too late
	f.says("dome get-command-model")
}

func TestWhatIsKnownWhileAnActorIsBeingAskedIsInTheAnswer(t *testing.T) {
	f := newFakeActors(t, map[string][]string{"get-command-model": {oneCommand}})
	got := f.want("dome", false)
	f.clock.Pass(patience)
	if m := (*got)[0]; m.State != Asking || m.Source != FromCommandModel || len(m.Commands) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAnActorThatStartsAnewIsAskedAgain(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	f.Started("dome") // found for the first time
	f.model("dome")
	f.says("dome get-command-model", "dome get_schema")
	f.Stopped("dome")
	if f.model("dome").State != Known {
		t.Error("the model of an actor that is gone is not kept")
	}
	f.answers = map[string][]string{"get-command-model": {strings.ReplaceAll(oneCommand, "open", "shut")}, "get_schema": {oneSchema}}
	f.Started("dome")
	f.Started("dome")
	f.Started("nobody")
	if !slices.Equal(f.changed, []string{"dome"}) {
		t.Errorf("a change of %v was told", f.changed)
	}
	if m := f.model("dome"); m.Commands[0].Name != "shut" {
		t.Errorf("after the restart the commands are %+v", m.Commands)
	}
}

func TestAnActorThatMayHaveStartedAnewUnseenIsAskedAgain(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	f.Unwatched()
	f.Started("dome")
	f.asked = nil
	f.model("dome")
	f.says("dome get-command-model", "dome get_schema")
}

// Its answer to the first question comes from the new one; that to a later one may be the old one's last.
func TestAnActorThatHasAnsweredBeforeItIsSeenToStartIsNotAskedTwice(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	f.Stopped("dome")
	f.clock.Pass(refreshAfter)
	f.want("dome", true)
	f.asked = nil
	f.Started("dome")
	f.model("dome")
	f.says()
	f.clock.Pass(refreshAfter)
	f.answers = map[string][]string{"get-command-model": {oneCommand}}
	f.want("dome", true)
	f.Unwatched()
	f.reply(f.open[0], []string{oneSchema})
	f.asked, f.answers = nil, modern
	f.Started("dome")
	f.model("dome")
	f.says("dome get-command-model", "dome get_schema")
}

func TestAnActorThatStartsAnewWhileItIsBeingAskedIsAskedFromTheBeginning(t *testing.T) {
	f := newFakeActors(t, map[string][]string{"get-command-model": {oneCommand}})
	got := f.want("dome", false)
	f.Stopped("dome")
	if m := (*got)[0]; m.State != Partial || !strings.Contains(m.Problem, "stopped listening") {
		t.Errorf("when it stops: %+v", m)
	}
	f.Started("dome")
	f.asked, f.open = nil, nil
	got = f.want("dome", false)
	f.Unwatched()
	f.answers = modern
	f.Started("dome")
	f.says("dome get-command-model", "dome get_schema", "dome get-command-model", "dome get_schema")
	f.reply(f.open[0], []string{oneSchema}) // of the old one
	if m := (*got)[0]; len(*got) != 1 || m.State != Known {
		t.Errorf("%+v", m)
	}
}

func TestAModelWithACommandThatNoLongerExistsIsNoLongerTrue(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	f.Refused("dome", []byte(`{"help": ["NoSuchCommand: No such command 'never'. Did you mean 'open'?"]}`))
	f.Refused("dome", []byte(`{"help": ["BadParameter: x"], "text": "No such command 'open'"}`))
	f.Refused("mount", []byte(`{"help": ["NoSuchCommand: No such command 'open'."]}`))
	if len(f.changed) > 0 {
		t.Errorf("a change of %v was told", f.changed)
	}
	for range 2 { // the second time within ten seconds
		f.Refused("dome", []byte(`{"help": ["NoSuchCommand: No such command 'open'."]}`))
		f.model("dome")
	}
	if !slices.Equal(f.changed, []string{"dome"}) {
		t.Errorf("a change of %v was told", f.changed)
	}
}

func TestARefreshAsksAgainButNotMoreThanOnceInTenSeconds(t *testing.T) {
	f := newFakeActors(t, modern)
	f.want("dome", true)
	f.want("dome", true)
	f.says("dome get-command-model", "dome get_schema")
	f.clock.Pass(refreshAfter)
	f.want("dome", false)
	f.says()
	f.want("dome", true)
	f.says("dome get-command-model", "dome get_schema")
	if len(f.changed) > 0 {
		t.Errorf("a change of %v was told, although nothing has changed", f.changed)
	}
	f.clock.Pass(refreshAfter)
	f.answers = map[string][]string{"get-command-model": {strings.ReplaceAll(oneCommand, "open", "shut")}, "get_schema": {oneSchema}}
	if m := (*f.want("dome", true))[0]; m.Commands[0].Name != "shut" || !slices.Equal(f.changed, []string{"dome"}) {
		t.Errorf("the commands are %+v, a change of %v was told", m.Commands, f.changed)
	}
}

// It may have started anew so quickly that nobody noticed.
func TestAModelOfTenMinutesIsCheckedWhenSomebodyWantsIt(t *testing.T) {
	f := newFakeActors(t, modern)
	m := f.model("dome")
	f.asked = nil
	f.clock.Pass(checkAfter)
	if f.model("dome") != m {
		t.Error("the answer is not the old model")
	}
	f.says("dome get-command-model", "dome get_schema")
	if len(f.changed) > 0 {
		t.Errorf("a change of %v was told, although nothing has changed", f.changed)
	}
	f.clock.Pass(checkAfter)
	f.answers = map[string][]string{"get-command-model": {strings.ReplaceAll(oneCommand, "open", "shut")}, "get_schema": {oneSchema}}
	f.model("dome")
	if !slices.Equal(f.changed, []string{"dome"}) || f.model("dome").Commands[0].Name != "shut" {
		t.Errorf("a change of %v was told", f.changed)
	}
}

func TestAQuestionThatWasNotSentEndsTheConversation(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	got := f.want("dome", false)
	f.Unsent(f.open[0].ID, "Nobody listens.")
	f.Unsent(f.open[0].ID, "Twice.")
	if m := (*got)[0]; m.State != None || m.Problem != "Nobody listens." {
		t.Errorf("%+v", m)
	}
	f.says("dome get-command-model")
	f.want("dome", false)
	f.says("dome get-command-model")
}

func TestAnActorToWhomNobodyListensIsAskedAgainOnceItIsThere(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	got := f.want("dome", false)
	f.Unheard(f.open[0].ID)
	if m := (*got)[0]; m.State != None || !strings.HasPrefix(m.Problem, "Nobody listens") {
		t.Errorf("%+v", m)
	}
	f.model("dome")
	f.says("dome get-command-model")
	f.answers = modern
	f.Started("dome")
	if !slices.Equal(f.changed, []string{"dome"}) || f.model("dome").State != Known {
		t.Errorf("a change of %v was told", f.changed)
	}
}

func TestAnotherActorsAnswerIsNotTaken(t *testing.T) {
	f := newFakeActors(t, map[string][]string{})
	got := f.want("dome.x", false)
	f.Replied("dome", f.open[0].ID, ">", []byte(`{}`))
	if m := (*got)[0]; m.State != None || m.Problem != "No actor of this name answers: another one receives the commands to it." {
		t.Errorf("%+v", m)
	}
}
