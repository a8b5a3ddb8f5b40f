package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// runNode runs the JavaScript tests below root, one node process for each folder that has some.
func runNode(root string, total *counts) {
	folders, err := nodeTests(root)
	if err != nil {
		fmt.Println("cannot look for JavaScript tests:", err)
		total.failed++
	}
	if len(folders) == 0 {
		return
	}
	if testkit.GoOnly() {
		total.leftOut["node (files)"] += len(slices.Concat(slices.Collect(maps.Values(folders))...))
		return
	}
	if _, err := exec.LookPath("node"); err != nil {
		total.miss("MISSING node: run scripts/setup-test.sh, or install nodejs; the JavaScript tests did not run")
		return
	}
	for folder, files := range folders {
		out, err := exec.Command("node", append([]string{"--test", "--test-reporter=tap"}, files...)...).CombinedOutput()
		reportNode(folder, string(out), err, total)
	}
}

// nodeTests finds the test files by node's naming rules, grouped by folder. node is given each name, because its versions
// differ in what a folder on the command line means.
func nodeTests(root string) (folders map[string][]string, err error) {
	folders = map[string][]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules"):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".test.mjs"), strings.HasSuffix(name, ".test.js"), strings.HasSuffix(name, ".test.cjs"):
			folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], path)
		}
		return nil
	})
	return folders, err
}

// tapCount matches a total at the end of node's TAP report, such as "# pass 12".
var tapCount = regexp.MustCompile(`(?m)^# (pass|fail|cancelled|skipped|todo) (\d+)$`)

func reportNode(folder, out string, err error, total *counts) {
	n := map[string]int{}
	for _, m := range tapCount.FindAllStringSubmatch(out, -1) {
		n[m[1]], _ = strconv.Atoi(m[2])
	}
	failed := n["fail"] + n["cancelled"]
	if err != nil && failed == 0 {
		failed = 1 // it ended without a report
	}
	total.passed += n["pass"]
	total.failed += failed
	total.skipped += n["skipped"] + n["todo"]
	if failed > 0 {
		fmt.Print(out)
		fmt.Printf("FAIL  node --test %s: %v\n", folder, err)
		return
	}
	fmt.Printf("ok    node --test %s  %d passed\n", folder, n["pass"])
}
