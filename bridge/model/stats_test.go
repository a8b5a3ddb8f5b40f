package model

import "testing"

func TestEachQuestionIsCountedOnceAndByWhatBecameOfIt(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome") // two answers
	f.answers = map[string][]string{"get-command-model": {refused}, "__commands": {refused}, "help": {refused}, "get_schema": {oneSchema}}
	f.model("old") // three refusals, an answer
	f.answers = map[string][]string{"get-command-model": slicesOf("i {}", maxReplies+1), "__commands": {refused}, "help": {refused}, "get_schema": {refused}}
	f.model("endless") // four refusals
	f.answers = nil
	f.want("slow", false)
	f.clock.Pass(answerWithin)
	open := func(actor string) string {
		f.want(actor, false)
		return f.open[len(f.open)-1].ID
	}
	f.Unsent(open("unsent"), "x")
	f.Unheard(open("unheard"))
	open("stopped")
	f.Stopped("stopped")
	f.Replied("other", open("dome.x"), ":", []byte("{}"))
	open("restarted")
	f.Unwatched()
	f.Started("restarted") // is asked again
	got := f.Stats()
	want := [outcomes]uint64{Answered: 3, Refused: 7, TimedOut: 1, Unsent: 1, Unheard: 2, Dropped: 2}
	if got.Outcomes != want || got.Asked != 17 || got.Models != 8 || got.Bytes != f.bytes || got.Bytes == 0 {
		t.Errorf("counted is %+v", got)
	}
	if sum := len(f.questions); sum != 1 {
		t.Errorf("%d questions are open", sum)
	}
}
