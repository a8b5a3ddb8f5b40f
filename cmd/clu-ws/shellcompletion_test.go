package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// programFolder returns a folder in which this test binary is clu-ws, and the environment that makes it so.
func programFolder(t *testing.T, address string) (folder string, environment []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	if err := os.Symlink(self, filepath.Join(folder, "clu-ws")); err != nil {
		t.Fatal(err)
	}
	return folder, append(os.Environ(), runAsProgramEnv+"=yes", "CLU_WS_BRIDGE=ws://"+address, "XDG_CACHE_HOME="+t.TempDir(),
		"XDG_STATE_HOME="+t.TempDir(), "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8")
}

// completes checks what a shell offers. Until the actors have said something, and on a busy machine, which takes longer than
// a completion may, less is offered. All tries have one cache, as at a terminal: what one learns, the next one has.
func completes(t *testing.T, shell, script string, flags []string, want ...string) {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		testkit.Missing(t, shell, "install the package "+shell)
	}
	demo := startDemo(t)
	_, environment := programFolder(t, demo)
	testkit.Eventually(t, 3*testkit.Patience, shell+" completes", func() error { // an answer stays in the cache for 30 s
		cmd := exec.CommandContext(t.Context(), path, append(flags, "-c", script)...)
		cmd.Env = environment
		out, err := cmd.CombinedOutput()
		for _, w := range want {
			if err == nil && !strings.Contains(string(out), w) {
				err = fmt.Errorf("%q is not in\n%s", w, out)
			}
		}
		return err
	})
}

func TestBashCompletesFromTheBridge(t *testing.T) {
	completes(t, "bash", `source <(clu-ws completion bash)
try() { COMP_LINE="$1"; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _clu_ws; echo "$1: ${COMPREPLY[*]}"; }
for line in "clu-ws send ro" "clu-ws send d" "clu-ws send dome ro" "clu-ws get weather.wind_s" "clu-ws rep" "clu-ws plot --cs" "clu-ws completion z" "clu-ws send --timeout d" "clu-ws hz cam"; do try "$line"; done
complete -p clu-ws`, []string{"--norc"},
		"clu-ws send ro: \n", "clu-ws send d: dome\n", "clu-ws send dome ro: rotate\n", "clu-ws get weather.wind_s: weather.wind_speed_ms\n", "clu-ws rep: replay\n",
		"clu-ws plot --cs: --csv\n", "clu-ws completion z: zsh\n", "clu-ws send --timeout d: \n", "clu-ws hz cam: camera\n", "-F _clu_ws clu-ws\n")
}

func TestFishCompletesFromTheBridge(t *testing.T) {
	completes(t, "fish", `clu-ws completion fish | source
complete -C "clu-ws send d"; complete -C "clu-ws send dome ro"`, nil, "dome\n", "rotate\tRotates the opening")
}

func TestZshReadsItsCompletion(t *testing.T) {
	completes(t, "zsh", `autoload -U compinit; compinit -D; source <(clu-ws completion zsh)
words=(clu-ws send dome ro); CURRENT=4; _describe() { print -l "${found[@]}" }; _clu_ws`, []string{"-f"}, "rotate:Rotates the opening")
}

func TestZshCompletesFromAnInstalledFileTheFirstTime(t *testing.T) {
	completes(t, "zsh", `clu-ws completion zsh >$XDG_CACHE_HOME/_clu-ws; fpath=($XDG_CACHE_HOME $fpath); autoload -U compinit; compinit -u -D
words=(clu-ws send dome ro); CURRENT=4; _describe() { print -l "${found[@]}" }; "${_comps[clu-ws]}"`, []string{"-f"}, "rotate:Rotates the opening")
}

func TestCompletionWithoutABridgeIsQuietAndShort(t *testing.T) {
	stdout, stderr, code := talk(t, "127.0.0.1:1", "completion", "line", "--", "clu-ws send d")
	if stdout != "" || stderr != "" || code != 0 {
		t.Errorf("it prints %q, %q and exits with %d", stdout, stderr, code)
	}
}
