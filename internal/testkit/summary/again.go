package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// rabbitFolder is the environment variable that makes package testkit use another RabbitMQ than the installed one.
const rabbitFolder = "CLU_WS_TEST_RABBITMQ"

// rabbitMQ returns the RabbitMQ of a name: "newest", or a suite of Debian.
func rabbitMQ(name string) (cache.RabbitMQ, error) {
	if name == "newest" {
		return cache.NewestRabbitMQ()
	}
	return cache.RabbitMQOf(name)
}

// brokerTest is a test that asked for a RabbitMQ.
type brokerTest struct{ folder, test string }

// readBrokerTests parses the lines that package testkit wrote. It drops duplicates, and subtests of a test that
// is listed itself.
func readBrokerTests(text string) (users []brokerTest) {
	for line := range strings.Lines(text) {
		if folder, test, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			users = append(users, brokerTest{folder, test})
		}
	}
	slices.SortFunc(users, func(a, b brokerTest) int {
		return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.test, b.test))
	})
	seen := map[brokerTest]bool{}
	return slices.DeleteFunc(users, func(u brokerTest) bool {
		for name := u.test; ; {
			if seen[brokerTest{u.folder, name}] {
				return true
			}
			i := strings.LastIndexByte(name, '/')
			if i < 0 {
				seen[u] = true
				return false
			}
			name = name[:i]
		}
	})
}

// within keeps the tests whose package is in one of the folders or below it.
func within(users []brokerTest, folders []string) []brokerTest {
	return slices.DeleteFunc(users, func(u brokerTest) bool {
		return !slices.ContainsFunc(folders, func(folder string) bool {
			absolute, err := filepath.Abs(folder)
			return err == nil && (u.folder == absolute || strings.HasPrefix(u.folder, absolute+string(filepath.Separator)))
		})
	})
}

// selection returns the pattern for -run and the packages with which go test runs exactly these tests.
func selection(users []brokerTest) (pattern string, packages []string) {
	var names []string
	for _, u := range users {
		levels := strings.Split(u.test, "/")
		for i, level := range levels {
			levels[i] = "^" + regexp.QuoteMeta(level) + "$"
		}
		names = append(names, strings.Join(levels, "/"))
		packages = append(packages, u.folder)
	}
	slices.Sort(names)
	slices.Sort(packages)
	return strings.Join(slices.Compact(names), "|"), slices.Compact(packages)
}

// tagged finds the tests in files that are built only with a tag, by their first line.
func tagged(root, tag string) (users []brokerTest, err error) {
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), "//go:build "+tag+"\n") {
			return err
		}
		folder, err := filepath.Abs(filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			users = append(users, brokerTest{folder, m[1]})
		}
		return nil
	})
	return users, err
}

var testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(\w+ \*testing\.T\)`)

// runTagged runs the tests of a tag on the RabbitMQ of a name; "" is the installed one. It runs one package at a time,
// because these tests need the whole machine.
func runTagged(tag, name string, flags []string, total *counts) {
	users, err := tagged(".", tag)
	if err != nil {
		fmt.Println("cannot look for tests:", err)
		total.failed++
		return
	}
	if len(users) == 0 {
		return
	}
	pattern, packages := selection(users)
	tests := goTest{args: slices.Concat(flags, []string{"-p=1", "-tags=" + tag, "-run=" + pattern}, packages)}
	if name != "" {
		broker, err := rabbitMQ(name)
		if err != nil {
			total.miss(fmt.Sprintf("MISSING RabbitMQ (%s): %v; the %s tests did not run on it", name, err, tag))
			return
		}
		tests.env, tests.on = []string{rabbitFolder + "=" + broker.Bin}, " on RabbitMQ "+broker.Version
	}
	runGo(tests, total)
}
