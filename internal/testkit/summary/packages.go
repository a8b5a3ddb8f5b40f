package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// splitPackages expands patterns, and splits what they match into the packages that race matches and all others, in
// the order of the patterns.
func splitPackages(race, patterns []string) (raced, plain []string, err error) {
	all, err := listPackages(patterns)
	if err != nil || len(race) == 0 {
		return nil, all, err
	}
	matched, err := listPackages(race)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range all {
		if slices.Contains(matched, name) {
			raced = append(raced, name)
		} else {
			plain = append(plain, name)
		}
	}
	return raced, plain, nil
}

// listPackages returns the packages that patterns match, each once.
func listPackages(patterns []string) (packages []string, err error) {
	for _, pattern := range patterns {
		out, err := exec.Command("go", "list", "-e", pattern).Output()
		if err != nil {
			var failed *exec.ExitError
			if errors.As(err, &failed) {
				return nil, fmt.Errorf("go list %s: %w: %s", pattern, err, failed.Stderr)
			}
			return nil, err
		}
		for _, name := range strings.Fields(string(out)) {
			if !slices.Contains(packages, name) {
				packages = append(packages, name)
			}
		}
	}
	return packages, nil
}
