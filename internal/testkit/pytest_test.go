package testkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPytestsOutcomesAreRead(t *testing.T) {
	const report = `<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="4">
<testcase classname="a" name="test_good" time="0.1" />
<testcase classname="a" name="test_bad"><failure message="m">assert 1 == 2</failure></testcase>
<testcase classname="a" name="test_setup"><error message="m">no fixture</error></testcase>
<testcase classname="a" name="test_skipped"><skipped message="m">not today</skipped></testcase>
</testsuite></testsuites>`
	file := filepath.Join(t.TempDir(), "results.xml")
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := pytestOutcomes(file)
	if err != nil || len(got) != 4 {
		t.Fatalf("%q, %v", got, err)
	}
	for name, want := range map[string]string{"test_good": "", "test_bad": "1 == 2", "test_setup": "no fixture", "test_skipped": "not today"} {
		if outcome := got[name]; !strings.Contains(outcome, want) || (outcome == "") != (want == "") {
			t.Errorf("%s: %q, want %q", name, outcome, want)
		}
	}
}
