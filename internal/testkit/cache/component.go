package cache

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// failureKept is how long a failure is remembered, unless [Forget] is called.
const failureKept = 10 * time.Minute

// component is one folder below .cache.
type component struct {
	name  string                  // of the folder
	make  func(dir string) error  // fills the empty folder
	stamp func(dir string) string // identifies the contents; a folder with another stamp is made again
}

// ready returns the folder of a component, which it makes if it is not complete.
func (c component) ready() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, c.name)
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if c.good(dir) {
		return dir, nil
	}
	if err := recentFailure(dir); err != nil {
		return "", err
	}
	if err := c.remake(dir); err != nil {
		_ = os.WriteFile(dir+".failed", []byte(err.Error()), 0o644)
		return "", err
	}
	return dir, nil
}

func (c component) good(dir string) bool {
	have, err := os.ReadFile(filepath.Join(dir, "stamp"))
	return err == nil && string(have) == c.stamp(dir)
}

func (c component) remake(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := c.make(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "stamp"), []byte(c.stamp(dir)), 0o644)
}

// recentFailure returns the remembered failure, or nil.
func recentFailure(dir string) error {
	if info, err := os.Stat(dir + ".failed"); err == nil && time.Since(info.ModTime()) <= failureKept {
		if text, err := os.ReadFile(dir + ".failed"); err == nil {
			return errors.New(string(text))
		}
	}
	return nil
}

// Forget forgets failures, so that the next call tries again.
func Forget() {
	root, err := Root()
	if err != nil {
		return
	}
	failed, _ := filepath.Glob(filepath.Join(root, "*.failed"))
	for _, file := range failed {
		_ = os.Remove(file)
	}
}

// Root returns the folder .cache next to the go.mod above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			root := filepath.Join(dir, ".cache")
			if err := os.MkdirAll(root, 0o755); err != nil {
				return "", err
			}
			// Worktrees may share a cache by a link, but its contents contain absolute paths.
			return filepath.EvalSymlinks(root)
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// run runs a command. If it fails, the error has the end of its output, on one line.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	words := strings.Join(strings.Fields(string(out)), " ")
	return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, words[max(0, len(words)-300):])
}

// pipInstall installs Python packages. It compiles none of their modules, most of which are never imported.
func pipInstall(python3 string, args ...string) error {
	return run(python3, append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-input", "--retries", "2", "--timeout", "20", "--no-compile"}, args...)...)
}
