package testkit

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestASourceDoesNotWaitForeverForAConfirm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s Source
		s.begin()
		forgotten := s.next()
		time.Sleep(neverConfirms)
		if rest := s.Unsettled(); rest != "" {
			t.Errorf("after %v: %s", neverConfirms, rest)
		}
		s.next()
		if s.Unsettled() == "" {
			t.Error("it does not wait for a confirm that may still come")
		}
		if s.Outcome(forgotten).Accepted {
			t.Error("what was not confirmed counts as accepted")
		}
	})
}
