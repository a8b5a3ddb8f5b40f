package model

import "testing"

func TestAnActorThatAnswersHasStartedBeforeThatIsNoticed(t *testing.T) {
	f := newFakeActors(t, modern)
	f.model("dome")
	f.Stopped("dome")
	f.clock.Pass(refreshAfter)
	f.want("dome", true) // it has started anew, and answers
	f.asked = nil
	f.Started("dome")
	f.Stopped("dome")
	if f.model("dome").State != Known || len(f.changed) > 0 || len(f.asked) > 0 {
		t.Errorf("the model was dropped: changes of %v were told, %v was asked", f.changed, f.asked)
	}
}
