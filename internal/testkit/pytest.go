package testkit

import (
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// CLUSourceVariable is the environment variable that names a checkout of CLU, if there is one: its tests come with no
// package.
const CLUSourceVariable = "CLU_WS_TEST_CLU_SOURCE"

// Pytest runs the tests in a Python file and reports each as a subtest. plugin is a Python file that has their fixtures:
// no conftest.py is read. It returns the names of the tests that ran.
func (p *Python) Pytest(t *testing.T, file, plugin string, env ...string) (ran []string) {
	t.Helper()
	modules, err := cache.Pytest()
	if err != nil {
		Missing(t, "pytest", "cannot install it: "+err.Error())
	}
	paths := [2]string{file, plugin}
	for i, path := range paths {
		if paths[i], err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
	}
	results := filepath.Join(t.TempDir(), "results.xml")
	cmd := p.Command(t, "import sys, pytest; sys.exit(pytest.main())",
		"--noconftest", "-c", os.DevNull, "-p", strings.TrimSuffix(filepath.Base(plugin), ".py"), "-p", "no:cacheprovider",
		"-o", "asyncio_mode=auto", "--junitxml", results, paths[0])
	path := modules + string(filepath.ListSeparator) + filepath.Dir(paths[1])
	cmd.Env = append(cmd.Env, slices.Concat([]string{"PYTHONPATH=" + path, "PYTHONDONTWRITEBYTECODE=1"}, env)...)
	out, err := cmd.CombinedOutput()
	outcomes, unreadable := pytestOutcomes(results)
	if unreadable != nil {
		t.Fatalf("pytest left no results: %v (%v)\n%s", unreadable, err, out)
	}
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		t.Run(name, func(t *testing.T) {
			if outcome := outcomes[name]; outcome != "" {
				t.Error(outcome)
			}
		})
		ran = append(ran, name)
	}
	if err != nil && !t.Failed() {
		t.Errorf("pytest: %v\n%s", err, out)
	}
	return ran
}

// pytestOutcomes reads JUnit's XML: by the name of each test what went wrong, or "".
func pytestOutcomes(file string) (outcomes map[string]string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	type fault struct {
		Text string `xml:",chardata"`
	}
	var report struct {
		Cases []struct {
			Name    string  `xml:"name,attr"`
			Failure []fault `xml:"failure"`
			Error   []fault `xml:"error"`
			Skipped []fault `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(text, &report); err != nil {
		return nil, err
	}
	outcomes = map[string]string{}
	for _, c := range report.Cases {
		outcomes[c.Name] += "" // a test has two entries if its fixture fails, too
		for _, f := range slices.Concat(c.Failure, c.Error, c.Skipped) {
			outcomes[c.Name] += f.Text
		}
	}
	return outcomes, nil
}
