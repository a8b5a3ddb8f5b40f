package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// accessBlocks returns the code blocks of a language in docs/access.md, by their lines.
func accessBlocks(t *testing.T, language string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "access.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, at := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllSubmatchIndex(text, -1) {
		line := 1 + strings.Count(string(text[:at[0]]), "\n")
		blocks[fmt.Sprintf("docs/access.md:%d", line)] = string(text[at[2]:at[3]])
	}
	return blocks
}

// accessFiles makes the files that the configurations of docs/access.md name.
func accessFiles(t *testing.T, dir string) {
	t.Helper()
	c := testkit.NewCertificates(t)
	for name, source := range map[string]string{"cert.pem": c.ServerCert, "key.pem": c.ServerKey, "ca.pem": c.CA} {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		replaceFile(t, filepath.Join(dir, name), string(text))
	}
	replaceFile(t, filepath.Join(dir, "secrets.json"),
		`{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "c2VjcmV0", "encoding": "base64"}}}`)
	for _, name := range []string{"callback-secret", "callback"} {
		replaceFile(t, filepath.Join(dir, name), "a secret of the callback\n")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
}

func TestEachConfigurationInTheDocumentationOfAccessCanBeUsed(t *testing.T) {
	blocks := accessBlocks(t, "yaml")
	if len(blocks) < 10 {
		t.Errorf("only %d were found", len(blocks))
	}
	dir := t.TempDir()
	accessFiles(t, dir)
	for place, text := range blocks {
		path := filepath.Join(dir, "clu-ws.yaml")
		replaceFile(t, path, text)
		if got := output(t, "check", "--config", path); !strings.Contains(got, "role ") {
			t.Errorf("%s: check says\n%s", place, got)
		}
	}
}

func TestThePythonInTheDocumentationOfAccessCompiles(t *testing.T) {
	blocks := accessBlocks(t, "python")
	if len(blocks) < 4 {
		t.Errorf("only %d were found", len(blocks))
	}
	python := testkit.CLU(t)
	for place, text := range blocks {
		python.Run(t, "import sys\ncompile(sys.argv[1], sys.argv[2], 'exec', dont_inherit=True)", text, place)
	}
}

func TestTheBridgeOpensWhatThePythonWithoutBaseplateSigns(t *testing.T) {
	authority, err := access.New(access.Config{Signed: &access.SignedConfig{Secrets: "file", Name: "key"}}, access.Options{
		Secret: func(string) ([]byte, error) {
			return []byte(`{"secrets": {"key": {"type": "versioned", "current": "a key"}}}`), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range accessBlocks(t, "python") {
		if !strings.Contains(text, "def sign(") {
			continue
		}
		m := strings.TrimSpace(testkit.CLU(t).Run(t, text+"\nprint(sign(b'a key', '/live/x', 3600))\n"))
		for path, want := range map[string]bool{"/live/x": true, "/live/y": false} {
			if v := authority.Identify(&access.Approach{Method: "GET", Path: path, Query: "m=" + m}); (v.Principal != nil) != want {
				t.Errorf("%s: %+v", path, v)
			}
		}
		return
	}
	t.Error("docs/access.md does not sign without baseplate")
}
