package python_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// install builds the client's wheel, and installs it in a fresh environment, all without a network.
func install(t *testing.T) (python string) {
	t.Helper()
	wheels, err := cache.Wheels()
	if err != nil {
		testkit.Missing(t, "the Python client's wheels", err.Error())
	}
	dir := t.TempDir()
	source, err := copyOfSource(dir)
	if err != nil {
		t.Fatal(err)
	}
	python = filepath.Join(dir, "venv", "bin", "python")
	pip := []string{python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"}
	for _, argv := range [][]string{
		{testkit.CLU(t).Path, "-m", "venv", filepath.Join(dir, "venv")},
		slices.Concat(pip, []string{"wheel", "--no-deps", "--wheel-dir", dir, source}),
		slices.Concat(pip, []string{"install", "--find-links", dir, "clu-ws", "mypy", "pytest", "pytest-asyncio"}),
	} {
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "PIP_NO_INDEX=1", "PIP_FIND_LINKS="+wheels) // also when pip builds
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
		}
	}
	return python
}

// copyOfSource copies the package, because building it writes next to it.
func copyOfSource(dir string) (string, error) {
	source := filepath.Join(dir, "source")
	for _, name := range []string{"pyproject.toml", "README.md", "LICENSE"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(source, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(source, name), text, 0o644); err != nil {
			return "", err
		}
	}
	return source, os.CopyFS(filepath.Join(source, "src"), os.DirFS("src"))
}

func TestTheClient(t *testing.T) {
	t.Parallel()
	python := install(t)
	t.Run("has the version of the program", func(t *testing.T) { hasTheVersion(t, python) })
	t.Run("passes its own tests", func(t *testing.T) { passesItsTests(t, python) })
	t.Run("passes every case of the protocol", func(t *testing.T) { passesEveryCase(t, python) })
	t.Run("loses nothing in chaos", func(t *testing.T) { losesNothingInChaos(t, python) })
	t.Run("catches up though no connection lasts for it", func(t *testing.T) { catchesUpThoughNoConnectionLastsForIt(t, python) })
	t.Run("is typed", func(t *testing.T) { isTyped(t, python) })
	t.Run("runs as documented", func(t *testing.T) { runsAsDocumented(t, python) })
	t.Run("guards the dome as documented", func(t *testing.T) { theGuardOfTheDocumentation(t, python) })
	t.Run("goes on after a restart", func(t *testing.T) { goesOnAfterARestart(t, python) })
}

func hasTheVersion(t *testing.T, python string) {
	program, err := os.ReadFile("../../cmd/clu-ws/version.go")
	if err != nil {
		t.Fatal(err)
	}
	release := regexp.MustCompile(`const release\w* = "(.+)"`).FindSubmatch(program)
	if release == nil {
		t.Fatal("cmd/clu-ws/version.go has no release")
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", "import clu_ws; print(clu_ws.__version__)").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != string(release[1]) {
		t.Errorf("the package has the version %q (%v), the program %q", got, err, release[1])
	}
}

func passesItsTests(t *testing.T, python string) {
	cmd := exec.CommandContext(t.Context(), python, "-B", "-X", "dev", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(`\d\d passed`).Match(out) {
		t.Errorf("%v:\n%s", err, out)
	}
}

func isTyped(t *testing.T, python string) {
	cache := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, "-m", "mypy", "--strict", "--cache-dir", cache, "src", "tests")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// A program that uses the installed package is checked, too: it is marked as typed.
	program := filepath.Join(t.TempDir(), "program.py")
	text := "import clu_ws\n\nasync def f() -> int:\n    async with clu_ws.connect('ws://x') as clu:\n        return await clu.send('dome', 'open')\n"
	if err := os.WriteFile(program, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), python, "-m", "mypy", "--strict", "--cache-dir", cache, program)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), `got "CommandResult", expected "int"`) {
		t.Errorf("a wrong type is not found: %v\n%s", err, out)
	}
}
