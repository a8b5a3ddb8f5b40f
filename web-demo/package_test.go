package webdemo_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// newProject makes a project of an example, with the package and whatever it may need of others.
func newProject(t *testing.T, example string) (dir string) {
	t.Helper()
	others, archive := testkit.NPMApps(t), packed(t)
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("client", "examples", example))); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(dir, "node_modules")
	entries, err := os.ReadDir(others)
	if err == nil {
		err = os.MkdirAll(filepath.Join(modules, "clu-ws"), 0o755)
	}
	for _, e := range entries {
		err = errors.Join(err, os.Symlink(filepath.Join(others, e.Name()), filepath.Join(modules, e.Name())))
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "tar", "-xzf", archive, "-C", filepath.Join(modules, "clu-ws"), "--strip-components", "1")
	return dir
}

// build builds a project with Vite, for production or for development, and returns the URL at which the result is served.
func build(t *testing.T, dir, mode string) (url string) {
	t.Helper()
	run(t, dir, "env", "NODE_ENV="+mode, "node", filepath.Join("node_modules", "vite", "bin", "vite.js"), "build", "--mode", mode, "--logLevel", "warn")
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "dist"))))
	t.Cleanup(server.Close)
	return server.URL
}

// useTheDome uses a page of the examples: the wind changes, the dome opens, and the browser has nothing to complain of.
func useTheDome(t *testing.T, url string, o *observatory) {
	t.Helper()
	ctx := testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(url+"/?bridge=ws://"+o.addr+"/"))
	text := func(id string) string { return `document.querySelector("#` + id + `")?.textContent` }
	until(t, ctx, "it is connected", text("connection")+`?.startsWith("connected")`)
	until(t, ctx, "the wind is there", text("wind")+` > 0`)
	wind := evaluate[string](t, ctx, text("wind"))
	until(t, ctx, "the wind changes", text("wind")+` !== "`+wind+`"`)
	until(t, ctx, "the dome is closed", text("shutter")+` === "closed"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.seen = []; new MutationObserver(() => seen.push(document.querySelector("#shutter").textContent))
		.observe(document.querySelector("#shutter"), { childList: true, characterData: true, subtree: true }); void 0`), chromedp.Click("#open"))
	until(t, ctx, "the dome is opening", `seen.includes("opening")`)
	until(t, ctx, "the dome is open", text("shutter")+` === "open"`)
	until(t, ctx, "the command is done", `document.body.textContent.includes("done")`)
	until(t, ctx, "what is current is not grey", `getComputedStyle(document.querySelector("#shutter")).color === getComputedStyle(document.body).color`)
	testkit.NoConsoleErrors(t, ctx)
	o.stopBridge()
	until(t, ctx, "what is old is grey", `getComputedStyle(document.querySelector("#shutter")).color === "rgb(128, 128, 128)"`)
	until(t, ctx, "it says that it is old", text("connection")+`.includes("old")`)
}

func TestThePackageWorksInAViteProjectWithReact(t *testing.T) {
	dir := newProject(t, "react")
	tsc := filepath.Join("node_modules", "typescript", "bin", "tsc")
	run(t, dir, "node", tsc)
	wrong := filepath.Join(dir, "src", "wrong.ts")
	mistake := "import { hooks } from \"clu-ws/react\";\nimport type { Site } from \"./site\";\nhooks<Site>().useKeyword(\"dome\", \"dome_shuter\");\n"
	if err := os.WriteFile(wrong, []byte(mistake), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := tryRun(t, dir, "node", tsc)
	if err == nil || !strings.Contains(out, "dome_shuter") {
		t.Errorf("a keyword that no actor has compiles: %s", out)
	}
	// Only for development does React's StrictMode make each effect twice.
	for _, mode := range []string{"production", "development"} {
		t.Run(mode, func(t *testing.T) { useTheDome(t, build(t, dir, mode), startDemo(t)) })
	}
}

func TestThePackageWorksInAViteProjectWithVue(t *testing.T) {
	dir, o := newProject(t, "vue"), startDemo(t)
	useTheDome(t, build(t, dir, "production"), o)
}

func TestThePlainPageOfTheExamplesWorks(t *testing.T) {
	o := startDemo(t)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join("client", "examples", "page"))))
	t.Cleanup(server.Close)
	useTheDome(t, server.URL, o)
}

func TestThePackageWorksOnAServerThatRendersReact(t *testing.T) {
	dir := newProject(t, "react")
	page := `import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { CluProvider, useCommand, useConnection, useKeyword } from "clu-ws/react";
function Show() {
  const { value, stale } = useKeyword("dome", "dome_shutter");
  return h("p", null, JSON.stringify([value ?? null, stale, useConnection().current, useCommand("dome", "open").state]));
}
console.log(renderToString(h(CluProvider, { url: "ws://127.0.0.1:1/" }, h(Show))));
`
	if err := os.WriteFile(filepath.Join(dir, "render.mjs"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := run(t, dir, "node", "render.mjs"), "<p>[null,true,false,&quot;idle&quot;]</p>\n"; got != want {
		t.Errorf("it renders %s, want %s", got, want)
	}
}

func TestThePackageWorksInNodeDenoAndBun(t *testing.T) {
	dir, o := installed(t, true), startDemo(t)
	copyFile(t, filepath.Join(dir, "wind.mjs"), filepath.Join("client", "examples", "node", "wind.mjs"))
	for name, runtime := range map[string][]string{
		"node": {testkit.NodeJS(t)},
		"deno": {testkit.NPMRuntime(t, "deno"), "run", "--quiet", "--allow-all", "--node-modules-dir=manual"},
		"bun":  {testkit.NPMRuntime(t, "bun"), "run"},
	} {
		out := run(t, dir, runtime[0], append(runtime[1:], "wind.mjs", "ws://"+o.addr+"/")...)
		if !regexp.MustCompile(`^wind \d+(\.\d+)? m/s\ndome open\n$`).MatchString(out) {
			t.Errorf("%s prints %q", name, out)
		}
	}
}
