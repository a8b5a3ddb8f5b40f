package catalog_test

import (
	"os"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Each configuration of the page about other systems is understood, and its sources feed its dialects.
func TestTheConfigurationsOfTheMigrationPageAreUnderstood(t *testing.T) {
	page, err := os.ReadFile("../../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("the page has no configuration")
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		f := configfile.Parse("clu-ws.yaml", []byte(text))
		if err := f.Err(); err != nil {
			t.Errorf("%v in\n%s", err, text)
			continue
		}
		mounts, err := catalog.Mounts(f.Dialects)
		if err != nil || len(mounts) == 0 {
			t.Errorf("%d dialects, %v in\n%s", len(mounts), err, text)
		}
		var sources []rooms.Source
		for _, setting := range f.Settings {
			if setting.Name != "source" {
				continue
			}
			values, _ := setting.Texts(false)
			for _, value := range values {
				s, err := rooms.ParseSource(value)
				if err != nil {
					t.Errorf("%v in\n%s", err, text)
				}
				sources = append(sources, s)
			}
		}
		for _, m := range mounts {
			if rooms.Find(sources, strings.TrimSuffix(m.Rooms, "/")+"/x") == nil {
				t.Errorf("no source has the rooms at %s in\n%s", m.Rooms, text)
			}
		}
	}
}
