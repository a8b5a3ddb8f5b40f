package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABackgroundCheckIsReportedBehindTheTests(t *testing.T) {
	program := func(text string) string {
		file := filepath.Join(t.TempDir(), "check")
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	passes, fails := program("echo all is well"), program("echo this is wrong >&2; exit 3")
	for _, c := range []struct {
		program, said string
		passed        bool
	}{
		{"", "", true},
		{passes, "ok    " + passes + "\n", true},
		{fails, "this is wrong\nFAIL  " + fails + ": exit status 3\n", false},
		{"no/such/program", "FAIL  no/such/program: fork/exec no/such/program: no such file or directory\n", false},
	} {
		var out strings.Builder
		if passed := startBackground(c.program).report(&out); passed != c.passed || out.String() != c.said {
			t.Errorf("%q: %t, and says %q; want %t and %q", c.program, passed, &out, c.passed, c.said)
		}
	}
}
