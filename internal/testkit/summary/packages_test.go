package main

import (
	"slices"
	"strings"
	"testing"
)

func TestPackagesAreSplitByPatternInTheirOrder(t *testing.T) {
	t.Chdir("../../..")
	raced, plain, err := splitPackages([]string{"./internal/testkit/...", "./amqpx/topic"},
		[]string{"./internal/testkit/summary", "./internal/recorded", "./internal/testkit/...", "./amqpx/topic"})
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/clu-ws/clu-ws/"
	if raced[0] != module+"internal/testkit/summary" || !slices.Contains(raced, module+"amqpx/topic") {
		t.Errorf("with the race detector: %q", raced)
	}
	slices.Sort(raced)
	if len(slices.Compact(slices.Clone(raced))) != len(raced) {
		t.Errorf("one is in %q twice", raced)
	}
	if want := []string{module + "internal/recorded"}; !slices.Equal(plain, want) {
		t.Errorf("without it: %q, want %q", plain, want)
	}
	if raced, plain, err = splitPackages(nil, []string{"./amqpx/topic"}); err != nil || len(raced) > 0 || len(plain) != 1 {
		t.Errorf("without patterns: %q and %q (%v)", raced, plain, err)
	}
}

func TestAPatternThatIsNoPackageIsAnError(t *testing.T) {
	if _, err := listPackages([]string{"-no-such-flag"}); err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("got %v", err)
	}
}
