package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	again := flag.String("again", "", "other RabbitMQs, separated by commas: newest, or suites of Debian")
	in := flag.String("in", ".", "the folders, separated by commas, whose tests are repeated on the other RabbitMQs")
	each := flag.String("each", "", "the build tag of tests that run on each RabbitMQ")
	race := flag.String("race", "", "patterns of packages, separated by commas, that run with the race detector")
	once := flag.String("once", "", "the build tag of tests that run once")
	atATime := flag.Int("at-a-time", 2, "how many runs of go test")
	background := flag.String("background", "", "a program that checks something else meanwhile")
	flag.Parse()
	if *atATime < 1 {
		fmt.Println("-at-a-time must be at least 1")
		os.Exit(2)
	}
	check := startBackground(*background)
	total := newCounts()
	s := suite{again: list(*again), in: list(*in), race: list(*race), each: *each, once: *once, atATime: *atATime, run: runGo}
	if err := s.runAll(flag.Args(), total); err != nil {
		fmt.Println(err)
		total.failed++
	}

	for check := range strings.Lines(os.Getenv("FAILED_CHECKS")) {
		total.failCheck(strings.TrimSpace(check))
	}
	if !check.report(os.Stdout) {
		total.failCheck(*background)
	}
	for _, line := range total.lastLines() {
		fmt.Println(line)
	}
	if total.failed > 0 {
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
