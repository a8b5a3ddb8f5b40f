package webdemo

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestAModuleThatIsMissingOrBrokenIsNamed(t *testing.T) {
	t.Parallel()
	for name, module := range map[string]string{
		"nothing.js": `import "./nothing.js";`,
		"page/b.js":  `import "./b.js";`,
	} {
		_, err := bundleScripts(fstest.MapFS{"page/app.js": {Data: []byte(module)}, "page/b.js": {Data: []byte("let = ;")}}, "page/app.js", "bundle")
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", module, err)
		}
	}
}

func TestWhatIsLoadedLaterIsAFileOfItsOwnThatSharesTheModules(t *testing.T) {
	t.Parallel()
	scripts, err := bundleScripts(fstest.MapFS{
		"page/app.js":    {Data: []byte(`import { shared } from "./shared.js"; shared(() => import("./plot/a.js"));`)},
		"page/shared.js": {Data: []byte(`let n = 0; export const shared = (f) => { n += 1; return f(n, "is shared"); };`)},
		"page/plot/a.js": {Data: []byte(`import { shared } from "../shared.js"; shared(console.log);`)},
	}, "page/app.js", "bundle")
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, s := range scripts {
		if !strings.HasPrefix(s.path, "bundle/") {
			t.Errorf("%s is in another folder", s.path)
		}
		if strings.Contains(string(s.content), "is shared") {
			shared++
		}
		if s.path == "bundle/app.js" && len(s.imports) != 1 {
			t.Errorf("the page preloads %q", s.imports)
		}
	}
	if len(scripts) != 3 || shared != 1 {
		t.Errorf("%d scripts, of which %d have what is shared", len(scripts), shared)
	}
}

func BenchmarkAssets(b *testing.B) {
	for b.Loop() {
		if _, err := makeAssets(files); err != nil {
			b.Fatal(err)
		}
	}
}
