package main

import (
	"slices"
	"strings"
	"testing"
)

// planned returns the arguments of each go test that is planned in this module, in their order.
func planned(t *testing.T, race []string, patterns ...string) (runs []string) {
	t.Helper()
	t.Chdir("../../..")
	all := newJobs()
	s := suite{race: race, run: func(tests goTest, _ *counts) {
		runs = append(runs, strings.ReplaceAll(strings.Join(tests.args, " "), "github.com/clu-ws/clu-ws/", ""))
	}}
	if _, err := s.plan([]string{"-v"}, patterns, goTest{}, all); err != nil {
		t.Fatal(err)
	}
	all.waiting = all.waiting[:len(all.waiting)-1] // without the JavaScript tests
	all.run(1)
	return runs
}

func TestEachPackageIsPlannedOnceInTheOrderOfThePatterns(t *testing.T) {
	got := planned(t, []string{"./amqpx/..."}, "./internal/quote", "./amqpx/topic", "./internal/testkit/...", "./amqpx/...", "./internal/shlex")
	want := []string{"-v internal/quote", "-race -v amqpx/topic", "", "", "-v internal/shlex"}
	if len(got) != len(want) {
		t.Fatalf("planned %q", got)
	}
	for i, run := range want {
		if run != "" && got[i] != run {
			t.Errorf("run %d is %q, want %q", i, got[i], run)
		}
	}
	if !strings.HasPrefix(got[2], "-p=1 -v internal/testkit ") || !strings.HasPrefix(got[3], "-race -p=1 -v amqpx amqpx/") || strings.Contains(got[3], "topic") {
		t.Errorf("the rest is %q", got)
	}
}

func TestWithoutTheRaceDetectorAllIsOneRun(t *testing.T) {
	if got := planned(t, nil, "./internal/quote", "./internal/shlex"); !slices.Equal(got, []string{"-v internal/quote internal/shlex"}) {
		t.Errorf("planned %q", got)
	}
}
