package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// repeated repeats the tests of packages that have ended, in a module m in the working directory, and returns the
// packages and patterns with which go test was called.
func repeated(t *testing.T, users string, ended ...string) (calls []string, total *counts) {
	t.Helper()
	t.Chdir(t.TempDir())
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "users": strings.ReplaceAll(users, "R/", root+"/")} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	total = newCounts()
	all := newJobs()
	r, err := newRepeats(nil, []string{"link", "page"}, "users", []string{"-timeout=1m"}, all, total)
	if err != nil {
		t.Fatal(err)
	}
	r.brokers = []cache.RabbitMQ{{Bin: "rabbit/bin", Version: "4.9.9"}}
	called := make(chan goTest, 10)
	r.run = func(tests goTest, total *counts) {
		total.passed++
		called <- tests
	}
	for _, path := range ended {
		r.start(path)
	}
	all.run(2)
	r.count(total)
	close(called)
	for tests := range called {
		if tests.on != " on RabbitMQ 4.9.9" || !slices.Contains(tests.env, rabbitFolder+"=rabbit/bin") {
			t.Errorf("it ran%s with %q", tests.on, tests.env)
		}
		calls = append(calls, strings.ReplaceAll(strings.Join(tests.args, " "), root, "R"))
	}
	slices.Sort(calls)
	return calls, total
}

func TestTestsThatAskedForARabbitMQAreRepeated(t *testing.T) {
	const users = "R/link\tTestA\nR/link/broker\tTestB\nR/page\tTestC\nR/other\tTestD\n"
	calls, total := repeated(t, users, "m/link", "m/other", "m/filter", "m/link/broker")
	want := []string{"-timeout=1m -run=^TestA$ R/link", "-timeout=1m -run=^TestB$ R/link/broker"}
	if !slices.Equal(calls, want) {
		t.Errorf("go test %q, want %q", calls, want)
	}
	if total.passed != 2 || total.failed != 0 {
		t.Errorf("counted %+v", *total)
	}
}

func TestRepeatingNothingIsAFailure(t *testing.T) {
	if calls, total := repeated(t, "R/other\tTestD\n", "m/link", "m/other"); len(calls) > 0 || total.failed != 1 {
		t.Errorf("ran %q, %d failed", calls, total.failed)
	}
}
