package engine

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

func TestKindsListsEveryKind(t *testing.T) {
	source, err := os.ReadFile("rejecterror.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tKind\w+\s+= "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 {
		t.Fatal("no kind is declared")
	}
	for _, d := range declared {
		if !slices.Contains(Kinds, d[1]) {
			t.Errorf("%q is not among them", d[1])
		}
	}
}
