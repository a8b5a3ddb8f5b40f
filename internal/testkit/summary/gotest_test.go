package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"chatter\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"    x.go:1: NOTE 3 of 3\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGone","Output":"    x.go:1: MISSING CLU: no network\n"}
{"Action":"skip","Package":"a","Test":"TestGone"}
{"Action":"pass","Package":"a","Elapsed":0.5}
{"Action":"start","Package":"b"}
{"Action":"output","Package":"b","Test":"TestGood","Output":"chatter\n"}
{"Action":"pass","Package":"b","Test":"TestGood"}
{"Action":"output","Package":"b","Test":"TestBad","Output":"    x.go:1: bad\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
{"Action":"fail","Package":"b","Elapsed":0.1}
{"ImportPath":"c","Action":"build-output","Output":"c/x.go:1: undefined: y\n"}
{"ImportPath":"c","Action":"build-fail"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c"}
{"Action":"skip","Package":"d"}
`

func TestEventsAreCountedAndFailuresShown(t *testing.T) {
	total := newCounts()
	var out strings.Builder
	readEvents(strings.NewReader(events), &out, goTest{}, total)

	const want = `ok    a  1 passed, 0.5s
      3 of 3
    x.go:1: bad
FAIL  b  0.1s
c/x.go:1: undefined: y
FAIL	c [build failed]
FAIL  c  0.0s
`
	if out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", &out, want)
	}
	if total.passed != 2 || total.failed != 2 || total.skipped != 1 {
		t.Errorf("counted %+v", *total)
	}
	if !total.missing["MISSING CLU: no network"] || len(total.missing) != 1 {
		t.Errorf("missing %v", total.missing)
	}
}

func TestThePanicOfARunThatTookTooLongIsShown(t *testing.T) {
	const events = `{"Action":"output","Package":"a","Test":"TestGood","Output":"chatter\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"panic: test timed out after 18m0s\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"\trunning tests:\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Output":"FAIL\ta\t1080.2s\n"}
{"Action":"fail","Package":"a","Elapsed":1080.2}
`
	total := newCounts()
	var out strings.Builder
	readEvents(strings.NewReader(events), &out, goTest{}, total)
	const want = `panic: test timed out after 18m0s
	running tests:
FAIL	a	1080.2s
FAIL  a  1080.2s
`
	if out.String() != want || total.failed != 1 {
		t.Errorf("wrote\n%s\nwant\n%s\nand counted %d failures", &out, want, total.failed)
	}
}

func TestTestsLeftOutAreCountedByWhatTheyNeed(t *testing.T) {
	const events = `{"Action":"output","Package":"a","Test":"TestWhole","Output":"    x.go:1: LEFT OUT Chromium\n"}
{"Action":"skip","Package":"a","Test":"TestWhole"}
{"Action":"pass","Package":"a","Test":"TestBoth/embedded"}
{"Action":"output","Package":"a","Test":"TestBoth/RabbitMQ","Output":"    x.go:1: LEFT OUT RabbitMQ\n"}
{"Action":"skip","Package":"a","Test":"TestBoth/RabbitMQ"}
{"Action":"pass","Package":"a","Test":"TestBoth"}
{"Action":"output","Package":"a","Test":"TestNone/one","Output":"    x.go:1: LEFT OUT RabbitMQ\n"}
{"Action":"skip","Package":"a","Test":"TestNone/one"}
{"Action":"output","Package":"a","Test":"TestNone/two","Output":"    x.go:1: LEFT OUT RabbitMQ\n"}
{"Action":"skip","Package":"a","Test":"TestNone/two"}
{"Action":"pass","Package":"a","Test":"TestNone"}
{"Action":"skip","Package":"a","Test":"TestSkipped"}
{"Action":"pass","Package":"a","Elapsed":0.5}
`
	total := newCounts()
	readEvents(strings.NewReader(events), io.Discard, goTest{}, total)
	want := []string{"LEFT OUT: 1 that need Chromium", "LEFT OUT: 3 that need RabbitMQ", "2 passed, 0 failed, 1 skipped"}
	if got := total.lastLines(); !slices.Equal(got, want) {
		t.Errorf("the last lines are %q, want %q", got, want)
	}
}

func TestAPackageIsRunAgainIfTheRaceDetectorItselfFailed(t *testing.T) {
	const (
		passed = `{"Action":"pass","Package":"a","Test":"TestGood"}` + "\n"
		failed = `{"Action":"output","Package":"a","Test":"TestBad","Output":"bad\n"}` + "\n" +
			`{"Action":"fail","Package":"a","Test":"TestBad"}` + "\n"
		race     = `{"Action":"output","Package":"a","Output":"WARNING: DATA RACE\n"}` + "\n"
		detector = `{"Action":"output","Package":"a","Test":"TestOpen","Output":"ThreadSanitizer: CHECK failed: tsan_rtl.cpp:346\n"}` + "\n"
		end      = `{"Action":"fail","Package":"a","Elapsed":0.1}` + "\n"
	)
	for _, c := range []struct {
		events string
		again  bool
		failed int
	}{
		{passed + detector + end, true, 0},
		{passed + end, false, 1},
		{passed + failed + detector + end, false, 1}, // the test failed before
		{passed + race + detector + end, false, 1},
	} {
		total := newCounts()
		var out strings.Builder
		broken := readEvents(strings.NewReader(c.events), &out, goTest{}, total)
		if (len(broken) == 1) != c.again || total.failed != c.failed {
			t.Errorf("%s: again %v, %d failed; want %v, %d", c.events, broken, total.failed, c.again, c.failed)
		}
		if c.again && (total.passed != 0 || out.Len() > 0) {
			t.Errorf("%d passed and %q written of a run that does not count", total.passed, &out)
		}
	}
}

func TestWhatHadToRunTwiceIsAmongTheLastLines(t *testing.T) {
	total, other := newCounts(), newCounts()
	other.passed = 3
	said := other.ranTwice(" on RabbitMQ 4.0.5", []string{"a", "b"})
	other.missing["MISSING CLU: no network"] = true
	total.add(other)
	total.failCheck("go vet")
	total.failCheck("staticcheck")
	want := []string{said, "MISSING CLU: no network", "FAIL  of the checks above: go vet, staticcheck", "3 passed, 2 failed, 0 skipped"}
	if got := total.lastLines(); !slices.Equal(got, want) || !strings.HasSuffix(said, "once more on RabbitMQ 4.0.5: a b") {
		t.Errorf("the last lines are %q, want %q", got, want)
	}
}

func TestResultsOnAnotherRabbitMQAreReportedWithItsVersion(t *testing.T) {
	const events = `{"Action":"output","Package":"a","Test":"TestBad/x","Output":"    --- FAIL: TestBad/x (0.1s)\n"}
{"Action":"fail","Package":"a","Test":"TestBad/x"}
{"Action":"fail","Package":"a","Elapsed":0.1}
{"Action":"pass","Package":"b","Elapsed":0.2}
`
	var out strings.Builder
	readEvents(strings.NewReader(events), &out, goTest{on: " on RabbitMQ 4.0.5"}, newCounts())

	const want = `    --- FAIL: TestBad/x (0.1s) on RabbitMQ 4.0.5
FAIL  a on RabbitMQ 4.0.5  0.1s
ok    b on RabbitMQ 4.0.5  0 passed, 0.2s
`
	if out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", &out, want)
	}
}

func TestNodeReportIsCounted(t *testing.T) {
	total := newCounts()
	reportNode("web", "TAP version 13\n# tests 3\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n", nil, total)
	if total.passed != 2 || total.failed != 0 || total.skipped != 1 {
		t.Errorf("counted %+v", *total)
	}
}
