package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// accessBlocks returns the code blocks of a language in docs/access.md and README.md, by their lines.
func accessBlocks(t *testing.T, language string) map[string]string {
	t.Helper()
	blocks := map[string]string{}
	for _, file := range []string{"docs/access.md", "README.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllSubmatchIndex(text, -1) {
			line := 1 + strings.Count(string(text[:at[0]]), "\n")
			blocks[fmt.Sprintf("%s:%d", file, line)] = string(text[at[2]:at[3]])
		}
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

// recipe returns the block of a language that contains the words.
func recipe(t *testing.T, language, words string) string {
	t.Helper()
	for _, text := range accessBlocks(t, language) {
		if strings.Contains(text, words) {
			return text
		}
	}
	t.Fatalf("no block of %s in docs/access.md has %q", language, words)
	panic("unreachable")
}

func TestTheDocumentedNginxSaysWhoTheUserIsAndNobodyElseDoes(t *testing.T) {
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user := r.Header.Get("X-Test-User"); user != "" {
			w.Header().Set("Remote-User", user)
			w.Header().Set("Remote-Groups", "observers")
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(login.Close)
	path := filepath.Join(t.TempDir(), "clu-ws.yaml")
	replaceFile(t, path, recipe(t, "yaml", "user: X-Remote-User, groups: X-Remote-Groups, role: viewer"))
	bridge := start(t, "websocket", "--config", path, "--port", "0", "-P", "1").address(t)
	server := strings.NewReplacer("127.0.0.1:9876", strings.TrimSuffix(bridge, "/"), "127.0.0.1:8000", strings.TrimPrefix(login.URL, "http://")).
		Replace(recipe(t, "nginx", "auth_request"))
	addr, _ := testkit.Nginx(t, server)

	for _, c := range []struct{ name, user, forged, want string }{
		{"a user", "ana", "", `"role":"observers"`},
		{"a user who names another", "ana", "root", `"name":"ana"`},
		{"nobody", "", "", "401"},
		{"nobody who names somebody", "", "root", "401"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/whoami", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "console.example"
		for name, value := range map[string]string{"X-Test-User": c.user, "X-Remote-User": c.forged} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if got := fmt.Sprint(response.StatusCode, " ", string(body)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
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

// withWebApps runs a script that has FastAPI and Django.
func withWebApps(t *testing.T, script string) string {
	t.Helper()
	python := testkit.CLU(t)
	modules, err := cache.WebApps()
	if err != nil {
		testkit.Missing(t, "FastAPI and Django", "cannot install them: "+err.Error())
	}
	t.Setenv("PYTHONPATH", modules)
	t.Setenv("CALLBACK_SECRET", "s")
	return strings.TrimSpace(python.Run(t, script))
}

func TestTheDocumentedLoginOfFastAPITakesATicketOnce(t *testing.T) {
	got := withWebApps(t, recipe(t, "python", "from fastapi")+`
ticket = new_ticket("ana")["ticket"]
asked = {"ticket": ticket, "path": "/", "client": "bridge-1", "remote": "127.0.0.1", "origin": ""}
print(ws_login(asked, "Bearer s")["name"], ws_login(asked, "Bearer s")["status"])
print(ws_login({"op": "renew", "name": "ana"}, "Bearer s")["status"], ws_login({"op": "renew", "name": "bob"}, "Bearer s")["status"])
try:
    ws_login(asked, "Bearer t")
except HTTPException as refused:
    print(refused.status_code)
`)
	if want := "ana error\nok error\n403"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheDocumentedLoginOfDjangoSaysWhoIsLoggedIn(t *testing.T) {
	got := withWebApps(t, `
from types import SimpleNamespace as Object
from django.conf import settings
settings.configure()
`+recipe(t, "python", "from django")+`
def user(*groups, known=True):
    found = lambda name: Object(exists=lambda: name in groups)
    return Object(user=Object(is_authenticated=known, groups=Object(filter=found), get_username=lambda: "ana"))

for request in user("observers"), user(), user(known=False):
    answer = ws_login(request)
    print(answer.status_code, answer.content.decode())
`)
	want := `200 {"status": "ok", "name": "ana", "role": "observer", "renew_in": 300}
200 {"status": "ok", "name": "ana", "role": null, "renew_in": 300}
401 {"status": "error", "error": "You are not logged in."}`
	if got != want {
		t.Errorf("%s, want %s", got, want)
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
	m := strings.TrimSpace(testkit.CLU(t).Run(t, recipe(t, "python", "def sign(")+"\nprint(sign(b'a key', '/live/x', 3600))\n"))
	for path, want := range map[string]bool{"/live/x": true, "/live/y": false} {
		if v := authority.Identify(&access.Approach{Method: "GET", Path: path, Query: "m=" + m}); (v.Principal != nil) != want {
			t.Errorf("%s: %+v", path, v)
		}
	}
}
