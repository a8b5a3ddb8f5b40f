package testkit

import (
	"fmt"
	"strings"
	"testing"
)

// fatalOf keeps what a test would have failed with.
type fatalOf struct {
	testing.TB
	text string
}

func (f *fatalOf) Helper() {}

func (f *fatalOf) Fatalf(format string, args ...any) { f.text = fmt.Sprintf(format, args...) }

func TestTheNumberOfSeedsIsThatOfTheFlagTheVariableOrTheFallback(t *testing.T) {
	for _, c := range []struct {
		flag       uint64
		text       string
		want       uint64
		complained bool
	}{
		{0, "", 7, false}, {0, "1", 1, false}, {0, "1000", 1000, false}, {5, "1000", 5, false}, {5, "", 5, false},
		{0, "0", 0, true}, {0, "-1", 0, true}, {0, "many", 0, true}, {0, "1.5", 0, true}, {0, " 3", 0, true},
	} {
		t.Setenv(SeedsVariable, c.text)
		f := &fatalOf{TB: t}
		got := Seeds(f, c.flag, 7)
		if complained := strings.Contains(f.text, "a whole number from 1 on"); complained != c.complained || !complained && got != c.want {
			t.Errorf("with the flag %d and the variable %q it is %d (%q), want %d", c.flag, c.text, got, f.text, c.want)
		}
	}
}
